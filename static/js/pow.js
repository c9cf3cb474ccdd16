// Solves the proof-of-work challenge (ALTCHA v2, PBKDF2) of busy networks. Loaded only when needed; the solution is base64.
const bytes = (hex) => Uint8Array.from(hex.match(/../g), (pair) => parseInt(pair, 16));
const hex = (buffer) => [...new Uint8Array(buffer)].map((byte) => byte.toString(16).padStart(2, "0")).join("");

// Throws without WebCrypto, as on plain http; a waiting time then replaces it.
export async function solve(challenge) {
  const { nonce, salt, cost, keyLength, keyPrefix } = challenge.parameters;
  const start = bytes(nonce), password = new Uint8Array(start.length + 4), counter = new DataView(password.buffer, start.length);
  const rule = { name: "PBKDF2", hash: "SHA-256", salt: bytes(salt), iterations: cost };
  password.set(start);
  for (let number = 0; ; number++) {
    counter.setUint32(0, number);
    const key = await crypto.subtle.importKey("raw", password, "PBKDF2", false, ["deriveBits"]);
    const derivedKey = hex(await crypto.subtle.deriveBits(rule, key, keyLength * 8));
    if (derivedKey.startsWith(keyPrefix)) return btoa(JSON.stringify({ challenge, solution: { counter: number, derivedKey } }));
  }
}
