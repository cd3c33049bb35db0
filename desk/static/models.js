// Approving, rejecting, and another target for the live model.
"use strict";

const sure = document.getElementById("sure");

/** Ask before something changes for everybody. */
function confirmed(question) {
  document.getElementById("sure-text").textContent = question;
  sure.returnValue = "no";
  sure.showModal();
  return new Promise((done) => sure.addEventListener("close", () => done(sure.returnValue === "yes"), { once: true }));
}

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
  try {
    const answer = await desk.post("/api/models/target", { target });
    location.href = `/runs/${answer.run}`;
  } catch (error) {
    desk.complain(error.message);
  }
});

document.getElementById("retrain")?.addEventListener("click", async () => {
  const status = document.getElementById("retraining");
  status.textContent = "Collecting what was decided …";
  desk.complain("");
  try {
    const answer = await desk.post("/api/models/retrain", {});
    location.href = `/runs/${answer.run}`;
  } catch (error) {
    status.textContent = "";
    desk.complain(error.message);
  }
});
