// Asks the browser for a passkey, makes one or shows one, and sends what it answers by the form that asked.
"use strict";

const toBytes = (text) => {
  const base64 = text.replaceAll("-", "+").replaceAll("_", "/");
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
};

const toText = (bytes) => {
  const characters = Array.from(new Uint8Array(bytes), (byte) => String.fromCharCode(byte)).join("");
  return btoa(characters).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
};

const named = (known) => known.map((each) => ({ ...each, id: toBytes(each.id) }));

const make = async (asked) => {
  const publicKey = { ...asked, challenge: toBytes(asked.challenge), user: { ...asked.user, id: toBytes(asked.user.id) } };
  if (asked.excludeCredentials) publicKey.excludeCredentials = named(asked.excludeCredentials);
  const made = await navigator.credentials.create({ publicKey });
  return {
    id: made.id,
    rawId: toText(made.rawId),
    type: made.type,
    response: { clientDataJSON: toText(made.response.clientDataJSON), attestationObject: toText(made.response.attestationObject) },
  };
};

const show = async (asked) => {
  const publicKey = { ...asked, challenge: toBytes(asked.challenge), allowCredentials: named(asked.allowCredentials) };
  const shown = await navigator.credentials.get({ publicKey });
  return {
    id: shown.id,
    rawId: toText(shown.rawId),
    type: shown.type,
    response: {
      clientDataJSON: toText(shown.response.clientDataJSON),
      authenticatorData: toText(shown.response.authenticatorData),
      signature: toText(shown.response.signature),
    },
  };
};

for (const form of document.querySelectorAll("[data-passkey]")) {
  form.hidden = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (!form.reportValidity()) return;
    const failed = form.querySelector("[data-failed]");
    failed.hidden = true;
    try {
      const asked = JSON.parse(form.dataset.options).publicKey;
      const answer = await (form.dataset.passkey === "make" ? make(asked) : show(asked));
      form.querySelector("[name=answer]").value = JSON.stringify(answer);
      form.submit();
    } catch {
      // Anyone who gave it up, or has no such device, may try again or take another way.
      failed.hidden = false;
    }
  });
}
