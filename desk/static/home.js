// Dropping a file to label it or to train with it.
"use strict";

for (const drop of document.querySelectorAll(".drop")) {
  const progress = drop.querySelector(".progress");
  const input = drop.querySelector("input[type=file]");

  const send = (file) => {
    const explain = Boolean(drop.querySelector("[name=explain]")?.checked);
    const query = new URLSearchParams({ action: drop.dataset.action, name: file.name, explain });
    const request = new XMLHttpRequest();
    request.open("POST", `/api/upload?${query}`);
    request.upload.onprogress = (event) => {
      const share = Math.round((100 * event.loaded) / (event.total || 1));
      progress.textContent = share < 100 ? `Sending ${file.name}: ${share}%` : `Storing ${file.name} …`;
    };
    request.onload = () => {
      let answer = { error: request.responseText };
      try {
        answer = JSON.parse(request.responseText);
      } catch {}
      if (request.status === 200) location.href = `/runs/${answer.run}`;
      else refuse(answer.error);
    };
    request.onerror = () => refuse("The desk does not answer: start it again, then drop the file again.");
    progress.classList.remove("bad");
    progress.textContent = `Sending ${file.name} …`;
    request.send(file);
  };

  const refuse = (sentence) => {
    progress.textContent = sentence;
    progress.classList.add("bad");
    input.value = "";
  };

  const take = (files) => {
    if (files.length === 1) send(files[0]);
    else if (files.length) refuse("One file at a time.");
  };

  input.addEventListener("change", () => take(input.files));
  drop.addEventListener("submit", (event) => event.preventDefault());
  drop.addEventListener("dragover", (event) => {
    event.preventDefault();
    drop.classList.add("over");
  });
  drop.addEventListener("dragleave", () => drop.classList.remove("over"));
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    drop.classList.remove("over");
    take(event.dataTransfer.files);
  });
}
// A file that misses the boxes must not take the page's place.
for (const name of ["dragover", "drop"]) addEventListener(name, (event) => event.preventDefault());
