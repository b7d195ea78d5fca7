/* One session: links to moments are copied on click, j and k walk through the turns. */
(function () {
  "use strict";
  const page = document.querySelector("[data-session]");
  if (!page) return;

  function say(text) {
    const region = document.getElementById("live-region");
    if (region) region.textContent = text;
  }

  /* The link names the session and the part that is shown, not the list that it was opened from. */
  function link(hash) {
    const part = new URLSearchParams(location.search).get("part");
    return location.origin + page.dataset.session + (part ? "?part=" + encodeURIComponent(part) : "") + hash;
  }

  async function copy(hash) {
    try {
      await navigator.clipboard.writeText(link(hash));
      say("Link copied to the clipboard.");
      return true;
    } catch {
      say("The browser refused to copy; the address bar holds the link.");
      return false;
    }
  }

  document.addEventListener("click", async (event) => {
    const target = event.target instanceof Element ? event.target : null;
    const button = target && target.closest("[data-copy-link]");
    if (button && (await copy(location.hash))) {
      button.textContent = "Copied";
      setTimeout(() => (button.textContent = "Copy link"), 2000);
    }
    const moment = target && target.closest("a.moment, .turn__head a");
    if (moment) copy(moment.getAttribute("href"));
  });

  function current(turns) {
    const at = turns.findIndex((turn) => turn.contains(document.activeElement));
    if (at >= 0) return at;
    return turns.findIndex((turn) => turn.getBoundingClientRect().bottom > 0) - 1;
  }

  document.addEventListener("keydown", (event) => {
    if (!["j", "k"].includes(event.key) || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target instanceof Element && event.target.closest("input, select, textarea")) return;
    const turns = [...document.querySelectorAll(".turn")];
    const next = turns[Math.max(0, Math.min(turns.length - 1, current(turns) + (event.key === "j" ? 1 : -1)))];
    if (!next) return;
    event.preventDefault();
    next.focus({ preventScroll: true });
    next.scrollIntoView({ block: "start" });
  });
})();
