// What all pages share: asking the desk, saying what went wrong, and parts that are asked for again and again.
"use strict";

const AGAIN_MILLISECONDS = 2000;

const desk = {
  /** Post an object to the desk; returns what it answers, or throws an Error with its sentence and `status`. */
  async post(address, sent) {
    const answer = await fetch(address, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(sent),
    });
    return desk.read(answer);
  },

  async read(answer) {
    const text = await answer.text();
    let document;
    try {
      document = JSON.parse(text);
    } catch {
      document = { error: text };
    }
    if (!answer.ok) throw Object.assign(new Error(document.error), { status: answer.status });
    return document;
  },

  /** Post until the desk answers; a refusal of the desk is thrown, a lost network is not. */
  async insist(address, sent) {
    const waiting = document.getElementById("waiting");
    for (;;) {
      try {
        const answer = await desk.post(address, sent);
        waiting.hidden = true;
        return answer;
      } catch (error) {
        if (error.status && error.status < 500 && error.status !== 403) {
          waiting.hidden = true;
          throw error;
        }
        waiting.hidden = false;
        waiting.textContent = error.status
          ? `${error.message} Your decision is kept here and sent again.`
          : "The desk does not answer. Your decision is kept here and sent again; leave this page open.";
        await new Promise((done) => setTimeout(done, AGAIN_MILLISECONDS));
      }
    }
  },

  /** Insist, and keep what is sent in this window until it is answered, so that it is sent again after a reload. */
  async deliver(address, sent) {
    sessionStorage.setItem("undelivered", JSON.stringify({ address, sent }));
    try {
      return await desk.insist(address, sent);
    } finally {
      sessionStorage.removeItem("undelivered");
    }
  },

  /** Deliver what this window had sent when it was loaded again; returns that and its answer, or null. */
  async redeliver() {
    const left = JSON.parse(sessionStorage.getItem("undelivered"));
    return left && { ...left, answer: await desk.deliver(left.address, left.sent) };
  },

  complain(sentence) {
    const place = document.getElementById("problem");
    place.textContent = sentence;
    place.hidden = !sentence;
  },

  /** Return the name of this window, which stays when the page is loaded again. */
  window() {
    let name = sessionStorage.getItem("window");
    if (!name) sessionStorage.setItem("window", (name = crypto.randomUUID()));
    return name;
  },

  element(name, text = "", attributes = {}) {
    const made = document.createElement(name);
    made.textContent = text;
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    return made;
  },
};

// A part with data-live is taken from that address again, often while something in it has data-running.
for (const part of document.querySelectorAll("[data-live]")) {
  const every = Number(part.dataset.every);
  let shown = part.innerHTML;
  const again = async () => {
    let pause = every;
    try {
      const answer = await fetch(part.dataset.live);
      const text = await answer.text();
      if (answer.ok && text !== shown && !part.contains(document.activeElement)) part.innerHTML = shown = text;
      if (!part.querySelector("[data-running]")) pause = 5 * every;
      desk.complain(answer.ok ? "" : "The desk cannot say how it stands: load the page again.");
    } catch {
      desk.complain("The desk does not answer: what you see may be old. It is asked again every few seconds.");
    }
    setTimeout(again, pause);
  };
  setTimeout(again, every);
}
