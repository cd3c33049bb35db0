// What the live model says of a text.
"use strict";

const $ = (id) => document.getElementById(id);
$("try").addEventListener("submit", async (event) => {
  event.preventDefault();
  $("working").textContent = "Asking the model; the first time it is read, which takes some seconds …";
  desk.complain("");
  try {
    const answer = await desk.post("/api/try", { text: $("text").value });
    $("category").textContent = answer.category;
    $("verdict").textContent = answer.doubt ? `${answer.verdict}: ${answer.doubt}` : answer.verdict;
    $("facts").replaceChildren(
      ...answer.facts.map(([name, text]) => {
        const line = desk.element("div");
        line.append(desk.element("dt", name), desk.element("dd", text));
        return line;
      }),
    );
    $("answer").hidden = false;
  } catch (error) {
    $("answer").hidden = true;
    desk.complain(error.status ? error.message : "The desk does not answer: start it again.");
  }
  $("working").textContent = "";
});
