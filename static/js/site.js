// Enhancements of the plain pages and forms. Everything works without this file.
"use strict";
(() => {
  const POLL_MS = 20000;
  const REMEMBERED = ["first_name", "last_name", "email", "email_asked", "birth_date", "newsletter", "unnamed", "of_age", "pass_code"];
  const TYPED = ["first_name", "last_name", "email", "birth_date"];
  const signed = new Set();
  let typed = null; // the last entry, in this page's memory only: no cookie, no storage

  const all = (root, selector) => [...root.querySelectorAll(selector)];
  const caseOf = (box) => box.value;

  // Polls the numbers, but not while the page is hidden.
  setInterval(() => {
    const counts = document.getElementById("counts");
    if (counts && !document.hidden) counts.dispatchEvent(new CustomEvent("refresh"));
  }, POLL_MS);

  // "Sign for all 9" is only true while all nine are ticked.
  function nameButton(form) {
    const button = form.querySelector("[data-some]");
    if (button) button.textContent = form.querySelector("[name=cases]:not(:checked)") ? button.dataset.some : button.dataset.all;
  }

  function fill(form) {
    if (!typed) return;
    for (const [name, value] of typed) {
      const field = form.elements[name];
      if (!field) continue;
      if (field.type === "checkbox") field.checked = true;
      else if (!field.value) field.value = value;
    }
  }

  // The form for the others needs no fields of its own: the page remembers what was typed.
  function offerRest(form) {
    if (!typed) return;
    for (const [name, value] of typed) {
      const field = Object.assign(document.createElement("input"), { type: "hidden", name, value });
      form.append(field);
    }
    for (const box of all(form, "[name=cases]")) if (signed.has(caseOf(box))) box.closest("li").remove();
    const left = all(form, "[name=cases]").length;
    form.hidden = left === 0;
    form.parentElement.querySelector("[data-no-memory]").hidden = true;
  }

  function postmark(slug) {
    signed.add(slug);
    for (const stamp of all(document, `.stamp[data-case="${CSS.escape(slug)}"]`)) stamp.classList.add("is-signed");
  }

  // A group code from the link: pages are the same for everybody, so it is filled in here and added to internal links.
  const code = (new URLSearchParams(location.search).get("pass") || "").slice(0, 20);
  function fillPass(root) {
    for (const field of code ? all(root, "[name=pass_code]") : []) {
      field.value ||= code;
      field.closest("details").open = true;
    }
    for (const link of code ? all(root, 'a[href^="/"]') : []) {
      const target = new URL(link.href);
      target.searchParams.set("pass", code);
      link.href = target;
    }
  }

  // A busy network: solve the challenge, or wait if the browser cannot, and send the form again.
  let proofs = 0;
  async function prove(form) {
    if (form.dataset.begun || ++proofs > 3) return; // afterwards the visitor has to press the button
    form.dataset.begun = "1";
    try {
      const { solve } = await import(form.dataset.solver);
      form.elements.proof.value = await solve(JSON.parse(atob(form.dataset.puzzle)));
    } catch {
      await new Promise((later) => setTimeout(later, (Number(form.dataset.wait) + 1) * 1000));
    }
    if (form.isConnected) form.requestSubmit();
  }

  function prepare(root) {
    for (const form of all(root, "form[data-scope]")) { fill(form); nameButton(form); }
    fillPass(root);
    for (const form of all(root, "form[data-puzzle]")) prove(form);
    for (const form of all(root, "form[data-rest]")) offerRest(form);
  }

  function tell(element, words) {
    const form = element.closest("form");
    const place = form && (form.querySelector(".problem") || form.insertBefore(Object.assign(document.createElement("div"), { className: "problem" }), form.firstChild));
    if (!place) return;
    place.replaceChildren(Object.assign(document.createElement("p"), { textContent: words }));
    place.hidden = false;
    place.tabIndex = -1;
    place.focus();
  }

  // How long an empty form took to fill in. Unknown where the browser, or this page, filled it.
  const begun = new WeakMap();
  const isText = (field) => TYPED.includes(field.name);
  document.addEventListener("focusin", ({ target }) => {
    const form = target.form;
    if (!form?.elements.elapsed || begun.has(form) || !isText(target)) return;
    begun.set(form, [...form.elements].some((field) => isText(field) && field.value) ? null : performance.now());
  });
  document.addEventListener("submit", ({ target: form }) => {
    const start = begun.get(form), knows = CSS.supports("selector(:autofill)");
    if (start && knows && !form.querySelector("input:autofill")) form.elements.elapsed.value = Math.round(performance.now() - start);
  }, true);

  document.addEventListener("change", (event) => {
    if (event.target.name === "cases" && event.target.form) nameButton(event.target.form);
  });

  let sent = null; // the form being sent: its fields and cases
  document.addEventListener("htmx:before:request", (event) => {
    const form = event.target.closest("form");
    if (!form) return;
    const data = new FormData(form);
    sent = { fields: REMEMBERED.filter((name) => data.get(name)).map((name) => [name, data.get(name)]), cases: data.getAll("cases"), scope: form.dataset.scope };
  });
  document.addEventListener("htmx:after:request", (event) => {
    const { ctx } = event.detail;
    // An answer without the expected part (such as a proxy's error page) must not replace what was typed.
    const part = ctx.select?.split(" ")[0].slice(1);
    if (part && !ctx.text.includes(`id="${part}"`)) {
      event.preventDefault();
      tell(ctx.sourceElement, document.body.dataset.refused);
    } else if (sent && ctx.request.method === "POST" && ctx.response.status < 300) {
      typed = sent.fields;
      for (const slug of sent.cases.length ? sent.cases : [sent.scope]) postmark(slug);
    }
  });
  document.addEventListener("htmx:error", (event) => {
    const source = event.detail.ctx?.sourceElement;
    if (source) tell(source, document.body.dataset.lost);
  });
  document.addEventListener("htmx:after:swap", (event) => {
    prepare(document);
    const { ctx } = event.detail;
    // A form that was opened replaced its link: move the keyboard focus into it.
    if (ctx.select && ctx.request.method === "GET") document.querySelector(`${ctx.select} input`)?.focus();
  });
  document.addEventListener("DOMContentLoaded", () => prepare(document));
})();
