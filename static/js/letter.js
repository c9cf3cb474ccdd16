// Fills the printed sheet, and warns of risky words in the letter. Nothing is sent, nothing is stored.
"use strict";
(() => {
  const writing = document.querySelector(".writing");
  const text = document.getElementById("letter-text");
  const found = document.querySelector("[data-found]");
  const plain = (words) => words.normalize("NFC").toLocaleLowerCase();
  const escaped = (words) => words.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const avoided = Array.from(document.querySelectorAll(".avoid li"), (item) => ({
    item,
    word: item.textContent,
    // a word in the singular stands for its plural too: two letters more are still the same word
    pattern: new RegExp(`(?<!\\p{L})${escaped(plain(item.textContent))}\\p{L}{0,2}(?!\\p{L})`, "u"),
  }));

  function check() {
    const letter = plain(text.value);
    const hits = avoided.filter(({ pattern }) => pattern.test(letter));
    for (const { item } of avoided) item.classList.toggle("is-found", hits.some((hit) => hit.item === item));
    const words = hits.map(({ word }) => word).join(", ");
    const said = words && writing.dataset.avoid.replace("{words}", words);
    if (found.textContent !== said) found.textContent = said;
  }

  function copy() {
    for (const target of document.querySelectorAll("[data-copy]")) {
      target.textContent = document.getElementById(target.dataset.copy).value;
    }
  }

  for (const part of document.querySelectorAll("[data-script]")) part.hidden = false;
  document.querySelector("[data-print]").addEventListener("click", () => window.print());
  for (const button of document.querySelectorAll("[data-use]")) {
    button.addEventListener("click", () => { // typed text is kept: the browser can undo this
      const sample = button.closest("details").querySelector("[lang]");
      [text.lang, text.dir] = [sample.lang, sample.dir];
      text.focus();
      text.select();
      if (!document.execCommand("insertText", false, sample.textContent)) text.value = sample.textContent;
      check();
      copy();
    });
  }
  text.addEventListener("input", check);
  document.addEventListener("input", copy);
  check(); // after "back", the browser restores what was typed
  copy();
})();
