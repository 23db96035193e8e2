"use strict";
// Two comforts for readers with scripts on: parts marked `data-live` follow the chain, and hashes can be copied.
// Without this file every page works and shows the same.
(() => {
  const QUIET_MS = 800, LONGEST_WAIT_MS = 10000;

  function dress(root) {
    if (!navigator.clipboard) return; // browsers give it to secure origins and this machine's own alone
    for (const place of root.querySelectorAll("[data-copy]")) {
      if (place.querySelector(".copy")) continue;
      const button = document.createElement("button");
      button.type = "button";
      button.className = "copy";
      button.textContent = "copy";
      button.addEventListener("click", async () => {
        await navigator.clipboard.writeText(place.dataset.copy);
        button.textContent = "copied";
        button.classList.add("done");
        setTimeout(() => { button.textContent = "copy"; button.classList.remove("done"); }, 1200);
      });
      place.append(button);
    }
  }

  // The page is asked for again and its living parts are put in the place of the old ones.
  async function refresh() {
    const response = await fetch(location.href, { credentials: "same-origin", headers: { "x-refresh": "1" } });
    if (!response.ok) return;
    const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
    for (const old of document.querySelectorAll("[data-live][id]")) {
      const now = fresh.getElementById(old.id);
      if (!now) { location.reload(); return; }
      if (now.innerHTML === old.dataset.seen) continue;
      const seen = now.innerHTML;
      old.innerHTML = seen;
      old.dataset.seen = seen;
      dress(old);
    }
  }

  const living = document.querySelector("[data-live][id]") !== null;

  // The height comes with the news; only pages with living parts are asked for again, and only while they are seen.
  function heard(result) {
    const head = document.querySelector("#head .number"), pulse = document.querySelector("#head .pulse");
    if (result && result.number && head) {
      head.textContent = BigInt(result.number).toLocaleString("en-US");
      pulse.classList.remove("beat");
      void pulse.offsetWidth;
      pulse.classList.add("beat");
    }
    if (living) soon();
  }

  let timer = null, last = 0, busy = false, again = false, missed = false;
  function soon() {
    if (busy) { again = true; return; }
    if (document.hidden) { missed = true; return; }
    if (timer !== null) return;
    const wait = Math.max(0, QUIET_MS - (performance.now() - last));
    timer = setTimeout(async () => {
      timer = null;
      busy = true;
      try { await refresh(); } catch (_) { /* the node is away; the socket says so */ }
      last = performance.now();
      busy = false;
      if (again) { again = false; soon(); }
    }, wait);
  }

  let pause = 500;
  function listen() {
    const socket = new WebSocket((location.protocol === "https:" ? "wss://" : "ws://") + location.host + "/");
    socket.addEventListener("open", () => {
      const kinds = document.querySelector("#pool") ? ["newHeads", "newPendingTransactions"] : ["newHeads"];
      kinds.forEach((kind, id) => socket.send(JSON.stringify({ jsonrpc: "2.0", id, method: "eth_subscribe", params: [kind] })));
    });
    socket.addEventListener("message", (event) => {
      const message = JSON.parse(event.data);
      if (message.result !== undefined) { document.body.classList.add("live"); pause = 500; }
      if (message.method === "eth_subscription") heard(message.params.result);
    });
    socket.addEventListener("close", () => {
      document.body.classList.remove("live");
      setTimeout(() => { listen(); }, pause);
      pause = Math.min(pause * 2, LONGEST_WAIT_MS);
    });
  }

  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && missed) { missed = false; soon(); }
  });
  dress(document);
  listen();
})();
