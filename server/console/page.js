// Keeps what a page shows up to date without loading it again, so that nobody loses their place.
// It reads the page that it is on and takes over the parts that are marked: it decides, sends and remembers nothing.
"use strict";

(() => {
  const EVERY = 10_000;
  const LONGEST = 15_000;

  const read = async () => {
    const answer = await fetch(location.pathname + location.search, {
      credentials: "same-origin",
      redirect: "error",
      signal: AbortSignal.timeout(LONGEST),
    });
    if (!answer.ok) throw new Error(String(answer.status));
    return new DOMParser().parseFromString(await answer.text(), "text/html");
  };

  const hasFocus = (element) => element.contains(document.activeElement);

  const takeOverText = (old, fresh) => {
    const texts = fresh.querySelectorAll("[data-text]");
    old.querySelectorAll("[data-text]").forEach((element, index) => {
      if (texts[index] && element.textContent !== texts[index].textContent) element.textContent = texts[index].textContent;
    });
  };

  // What a person opened or ticked stays so when the page around it changes.
  const summaryOf = (element) => element.querySelector("summary")?.textContent;
  const plain = (element) => element.innerHTML.replaceAll(' open=""', "");

  const replace = (old, fresh) => {
    const opened = new Set([...old.querySelectorAll("details[open]")].map(summaryOf));
    const ticked = new Map([...old.querySelectorAll("input[type=checkbox]")].map((box) => [box.id, box.checked]));
    old.innerHTML = fresh.innerHTML;
    for (const element of old.querySelectorAll("details")) element.open = opened.has(summaryOf(element));
    for (const box of old.querySelectorAll("input[type=checkbox]")) box.checked = ticked.get(box.id) ?? box.checked;
  };

  // Entries keep their elements, and with them the focus; only what is new, gone or different is touched. What is gone
  // goes first: an element that is moved, if only past a neighbour that goes, loses the focus.
  const takeOverList = (old, fresh) => {
    const wanted = new Set([...fresh.children].map((entry) => entry.id));
    for (const entry of [...old.children]) {
      if (wanted.has(entry.id)) continue;
      if (hasFocus(entry)) document.getElementById("main").focus();
      entry.remove();
    }
    const known = new Map([...old.children].map((entry) => [entry.id, entry]));
    let added = 0;
    let place = old.firstElementChild;
    for (const entry of [...fresh.children]) {
      let current = known.get(entry.id);
      if (current) {
        takeOverText(current, entry);
        if (plain(current) !== plain(entry) && !hasFocus(current)) replace(current, entry);
      } else {
        current = document.importNode(entry, true);
        added += 1;
      }
      if (current === place) place = place.nextElementSibling;
      else old.insertBefore(current, place);
    }
    return added;
  };

  const takeOver = (fresh) => {
    let added = 0;
    for (const old of document.querySelectorAll("[data-live]")) {
      const current = fresh.getElementById(old.id);
      if (!current) continue;
      if (old.dataset.live === "list") added += takeOverList(old, current);
      else if (plain(old) !== plain(current)) {
        takeOverText(old, current);
        if (plain(old) !== plain(current)) {
          const hadFocus = hasFocus(old);
          replace(old, current);
          if (hadFocus) document.getElementById("main").focus();
        }
      }
    }
    document.title = fresh.title;
    return added;
  };

  const isInSight = (element) => {
    const { top, bottom } = element.getBoundingClientRect();
    return bottom > 0 && top < innerHeight;
  };

  // The entry that has the focus, or else the first in sight, stays where it is when others come or go around it.
  const keepPlace = (change) => {
    const inSight = [...document.querySelectorAll("[data-live=list] > *")].filter(isInSight);
    const anchor = inSight.find(hasFocus) ?? inSight[0];
    const top = anchor?.getBoundingClientRect().top;
    const result = change();
    if (anchor?.isConnected && scrollY > 0) scrollBy(0, anchor.getBoundingClientRect().top - top);
    return result;
  };

  const say = (id, text) => {
    const element = document.getElementById(id);
    if (element && element.textContent !== text) element.textContent = text;
  };

  // A sound for what is new, if the operator wishes it in this browser; nothing of it is sent or kept elsewhere.
  const SOUND = "ringfence-sound";

  const isSoundWished = () => {
    try {
      return localStorage.getItem(SOUND) === "on";
    } catch {
      return false;
    }
  };

  const sound = () => {
    const context = new AudioContext();
    const tone = context.createOscillator();
    const volume = context.createGain();
    volume.gain.setValueAtTime(0.15, context.currentTime);
    volume.gain.exponentialRampToValueAtTime(0.001, context.currentTime + 0.6);
    tone.frequency.value = 660;
    tone.connect(volume).connect(context.destination);
    tone.onended = () => context.close();
    tone.start();
    tone.stop(context.currentTime + 0.6);
  };

  const offerSound = (place) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "quiet";
    const show = () => {
      button.textContent = "Sound for what is new";
      button.setAttribute("aria-pressed", String(isSoundWished()));
    };
    button.addEventListener("click", () => {
      try {
        localStorage.setItem(SOUND, isSoundWished() ? "off" : "on");
      } catch {
        return;
      }
      show();
      if (isSoundWished()) sound();
    });
    show();
    place.replaceChildren(button);
  };

  // The list of what waits is kept up to date in the background, too: its title says how many there are.
  const update = async () => {
    if (document.hidden && !document.getElementById("waiting")) return;
    try {
      const fresh = await read();
      const added = keepPlace(() => takeOver(fresh));
      say("update", "This page updates itself.");
      if (added) say("news", added === 1 ? "1 new entry." : `${added} new entries.`);
      if (added && isSoundWished()) sound();
    } catch {
      say("update", "This page is not up to date: Ringfence does not answer, or you are signed out.");
    }
  };

  const repeat = async () => {
    await update();
    setTimeout(repeat, EVERY);
  };

  const place = document.getElementById("sound");
  if (place) offerSound(place);
  document.documentElement.classList.add("updates");
  document.addEventListener("visibilitychange", update);
  setTimeout(repeat, EVERY);
  say("update", "This page updates itself.");
})();
