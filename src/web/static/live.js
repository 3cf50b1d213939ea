// Draws the page anew when the agent says that something has changed, and never while somebody types.
"use strict";
(() => {
  const busy = () => {
    const at = document.activeElement;
    const typing = at && at.matches("input, textarea, select");
    return typing || document.querySelector("details[open]") !== null || getSelection().toString() !== "";
  };
  let late = false;
  const refresh = async () => {
    if (document.hidden || busy()) {
      late = true;
      return;
    }
    late = false;
    const answer = await fetch(location.href, { headers: { accept: "text/html" } });
    if (!answer.ok || answer.redirected) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    const main = fresh.getElementById("main");
    if (!main || busy()) return;
    const href = document.activeElement && document.activeElement.getAttribute("href");
    document.getElementById("main").replaceWith(document.adoptNode(main));
    document.title = fresh.title;
    if (href) {
      const again = [...document.links].find((link) => link.getAttribute("href") === href);
      if (again) again.focus({ preventScroll: true });
    }
  };
  const source = new EventSource("/events");
  source.addEventListener("changed", () => refresh().catch(() => {}));
  document.addEventListener("visibilitychange", () => late && refresh().catch(() => {}));
  document.addEventListener("focusout", () => late && setTimeout(() => refresh().catch(() => {}), 0));
})();
