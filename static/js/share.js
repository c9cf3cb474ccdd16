// Copies the link, and opens the phone's own list of programs to share with. Loaded only on pages that offer it.
"use strict";
(() => {
  const all = (selector) => document.querySelectorAll(selector);
  if (navigator.share) for (const button of all("[data-share]")) button.hidden = false;
  if (navigator.clipboard) for (const button of all("[data-copy-link]")) button.hidden = false;
  document.addEventListener("click", async ({ target }) => {
    const share = target.closest("[data-share]"), copy = target.closest("[data-copy-link]");
    if (share) navigator.share({ url: share.dataset.share, text: share.dataset.text }).catch(() => {});
    if (!copy) return;
    const said = copy.closest(".share").querySelector("[data-copied]");
    await navigator.clipboard.writeText(copy.dataset.copyLink).then(
      () => { said.textContent = copy.dataset.done; },
      () => { said.textContent = copy.dataset.copyLink; },
    );
  });
})();
