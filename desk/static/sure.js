// Asking before something changes for everybody.
"use strict";

/** Ask in the page's dialog; returns whether the answer is yes. */
function confirmed(question) {
  const sure = document.getElementById("sure");
  document.getElementById("sure-text").textContent = question;
  sure.returnValue = "no";
  sure.showModal();
  return new Promise((done) => sure.addEventListener("close", () => done(sure.returnValue === "yes"), { once: true }));
}
