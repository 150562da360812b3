// Lets a browser's passkey enrol, sign in, and sign what is approved. It asks the page what to sign, hands that to the
// authenticator, puts the answer into the form that the person sent, and sends it. It decides and remembers nothing.
"use strict";

(() => {
  const LONGEST = 15_000;

  const fieldsOf = (form, button) => {
    const fields = new URLSearchParams(new FormData(form));
    if (button?.name) fields.set(button.name, button.value);
    fields.delete("credential");
    return fields;
  };

  const ask = async (address, fields) => {
    const answer = await fetch(address, {
      method: "POST",
      body: fields,
      credentials: "same-origin",
      redirect: "error",
      signal: AbortSignal.timeout(LONGEST),
    });
    const found = await answer.json();
    if (!answer.ok) throw new Error(found.problem);
    return { options: found, challenge: answer.headers.get("Ringfence-Challenge") ?? "" };
  };

  const make = {
    create: async (options) =>
      navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) }),
    get: async (options) =>
      navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) }),
  };

  const say = (form, text) => {
    const place = form.querySelector("[data-problem]") ?? form.appendChild(document.createElement("p"));
    place.dataset.problem = "";
    place.setAttribute("role", "alert");
    place.textContent = text;
  };

  const sign = async (form, button) => {
    const { options, challenge } = await ask(form.dataset.options, fieldsOf(form, button));
    const credential = await make[form.dataset.passkey](options);
    if (form.elements.challenge) form.elements.challenge.value = challenge;
    form.elements.credential.value = JSON.stringify(credential.toJSON());
  };

  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (!form.dataset.passkey || form.elements.credential.value || "unsigned" in (event.submitter?.dataset ?? {})) return;
    event.preventDefault();
    const button = event.submitter;
    try {
      if (!globalThis.PublicKeyCredential?.parseRequestOptionsFromJSON) throw new Error("This browser has no passkeys.");
      await sign(form, button);
    } catch (problem) {
      const isOurs = problem instanceof Error && problem.message && problem.name === "Error";
      say(form, isOurs ? problem.message : "Your passkey signed nothing, so nothing was sent.");
      return;
    }
    form.requestSubmit(button);
    form.elements.credential.value = "";
  });

  // The secret of an enrolment link is behind its #: browsers never send that part.
  const secret = document.querySelector("[data-secret]");
  if (secret && location.hash) secret.value = location.hash.slice(1);
})();
