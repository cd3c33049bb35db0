// Approving, rejecting, and another target for the live model.
"use strict";

for (const button of document.querySelectorAll("[data-verdict]")) {
  button.addEventListener("click", async () => {
    const { verdict, version } = button.dataset;
    const then = verdict === "approve" ? "It can go live for everybody." : "It is no longer live for anybody.";
    if (!(await confirmed(`${verdict === "approve" ? "Approve" : "Reject"} version ${version}? ${then}`))) return;
    try {
      await desk.post("/api/models", { version: Number(version), verdict });
      location.reload();
    } catch (error) {
      desk.complain(error.message);
    }
  });
}

document.getElementById("target")?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const target = Number(new FormData(event.target).get("target"));
  const share = `${(100 * target).toFixed(1)}%`;
  if (!(await confirmed(`Set the target to ${share}? It changes for everybody which rows need a person.`))) return;
  try {
    const answer = await desk.post("/api/models/target", { target });
    location.href = `/runs/${answer.run}`;
  } catch (error) {
    desk.complain(error.message);
  }
});

document.getElementById("retrain")?.addEventListener("click", async (event) => {
  const button = event.currentTarget;
  button.disabled = true;
  const status = document.getElementById("retraining");
  status.textContent = "Collecting what was decided …";
  desk.complain("");
  try {
    const answer = await desk.post("/api/models/retrain", {});
    status.textContent = `The training has begun. ${answer.said} `;
    status.append(desk.element("a", "See how far it is", { href: `/runs/${answer.run}` }));
  } catch (error) {
    status.textContent = "";
    button.disabled = false;
    desk.complain(error.message);
  }
});
