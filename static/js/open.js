// Decrypts names in this browser, with the officer's own key. Nothing is sent anywhere.
"use strict";
(() => {
  const NAMES = ["first_name", "last_name"];
  const COLUMNS = {
    signature: ["case", ...NAMES, "birth_date", "language", "signed_on"],
    signer: ["cases", ...NAMES, "birth_date", "language", "signed_on"],
    newsletter: ["email", ...NAMES, "language", "agreed_on"],
  };
  const FORMULA = /^[=+\-@\t\r＝＋－＠]/; // a spreadsheet would run such a cell
  const SHOW_EVERY = 100;
  const byId = (id) => document.getElementById(id);
  const bytesOf = (base64) => Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
  const painted = () => new Promise((done) => setTimeout(done, 50));

  // A decrypter with the private keys of the chosen file. A passphrase takes seconds by design (scrypt).
  async function decrypterOf(file, passphrase) {
    let text = new TextDecoder().decode(await file.arrayBuffer());
    const isArmored = text.trimStart().startsWith("-----BEGIN AGE");
    if (isArmored || text.startsWith("age-encryption.org/")) {
      const locked = new age.Decrypter();
      locked.addPassphrase(passphrase);
      text = await locked.decrypt(isArmored ? age.armor.decode(text) : new Uint8Array(await file.arrayBuffer()), "text");
    }
    const identities = text.split(/\r?\n/).map((line) => line.trim()).filter((line) => line.startsWith("AGE-SECRET-KEY-"));
    if (!identities.length) throw new Error("no key");
    const decrypter = new age.Decrypter();
    for (const identity of identities) decrypter.addIdentity(identity);
    return decrypter;
  }

  async function* linesOf(file) {
    const reader = file.stream().pipeThrough(new TextDecoderStream("utf-8", { fatal: true })).getReader();
    let rest = "";
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      const lines = (rest + part.value).split("\n");
      rest = lines.pop();
      yield* lines;
    }
    if (rest) yield rest;
  }

  const fieldsOf = async (decrypter, bytes) => JSON.parse(await decrypter.decrypt(bytes, "text"));

  // The decrypted payload of this row; refuses one that was moved here from another row or campaign.
  async function payloadOf(decrypter, row, sealed) {
    const fields = await fieldsOf(decrypter, bytesOf(sealed));
    if ((fields.campaign ?? row.campaign) !== row.campaign || (fields.id ?? row.id) !== row.id) throw new Error("moved");
    return fields;
  }

  // One decrypted signer, or null for the line of totals; a corrected name replaces the first one.
  async function signerOf(decrypter, line) {
    const row = JSON.parse(line);
    if (row.totals) return null;
    const names = await payloadOf(decrypter, row, row.sealed);
    if (row.sealed_name) Object.assign(names, await payloadOf(decrypter, row, row.sealed_name));
    return { ...names, ...row, language: row.locale };
  }

  function recordsOf(signer, list) {
    if (list === "newsletter") return signer.newsletter ? [{ ...signer, agreed_on: signer.confirmed_on }] : [];
    if (list === "signature") return signer.signatures.map((signature) => ({ ...signer, ...signature }));
    const cases = signer.signatures.map((signature) => signature.case).join(" ");
    return cases ? [{ ...signer, cases }] : [];
  }

  function cell(value) {
    const text = FORMULA.test(value) ? `'${value}` : String(value);
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  }

  const csvLine = (values) => `${values.map(cell).join(",")}\r\n`;

  async function openRows(place, decrypter) {
    const file = byId("open-rows").files[0], list = byId("open-list").value;
    const parts = ["\ufeff", csvLine(COLUMNS[list])];
    let signers = 0;
    for await (const line of linesOf(file)) {
      try {
        const signer = await signerOf(decrypter, line);
        if (!signer) continue;
        for (const record of recordsOf(signer, list)) parts.push(csvLine(COLUMNS[list].map((name) => record[name] ?? "")));
      } catch (why) {
        throw new Error(place.dataset.damaged.replace("{line}", signers + 1), { cause: why });
      }
      signers += 1;
      if (signers % SHOW_EVERY === 0) byId("open-said").textContent = place.dataset.progress.replace("{number}", signers);
    }
    const save = byId("open-save");
    save.href = URL.createObjectURL(new Blob(parts, { type: "text/csv;charset=utf-8" }));
    save.download = file.name.replace(/\.jsonl$/, "") + `.${list}.csv`;
    save.hidden = false;
    save.focus();
    return place.dataset.done.replace("{number}", parts.length - 2);
  }

  async function openRiddles(place, decrypter) {
    for (const message of document.querySelectorAll("[data-key-test]")) {
      try {
        byId("words").value = (await fieldsOf(decrypter, age.armor.decode(message.textContent))).words;
        return place.dataset.done;
      } catch { /* this test message is for another key */ }
    }
    throw new Error(place.dataset.damaged);
  }

  async function run(place) {
    const said = byId("open-said"), key = byId("open-key").files[0], rows = byId("open-rows");
    if (!key || (rows && !rows.files[0])) { said.textContent = place.dataset.missing; return; }
    said.textContent = place.dataset.opening;
    await painted();
    let decrypter;
    try {
      decrypter = await decrypterOf(key, byId("open-passphrase").value);
    } catch {
      said.textContent = place.dataset.locked;
      return;
    }
    try {
      said.textContent = await (rows ? openRows : openRiddles)(place, decrypter);
    } catch (why) {
      said.textContent = why.message;
    }
  }

  const place = byId("opener"), button = byId("open-go");
  button.addEventListener("click", async () => {
    if (byId("open-save")) byId("open-save").hidden = true;
    button.disabled = true;
    await run(place);
    button.disabled = false;
  });
  button.disabled = false;
})();
