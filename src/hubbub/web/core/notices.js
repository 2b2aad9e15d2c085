// Short notices beside the view.

import { h } from "./dom.js";
import { icon } from "./icons.js";

const SHOWN_MS = 6_000;
// Good news disappears soon.
const GOOD_MS = 3_000;
const SHOWN_MAX = 3;

// Show a notice; kind is "error", "good" or nothing. A repeated notice is shown only once.
export function notify(text, kind = "") {
  const place = document.getElementById("notices");
  for (const before of [...place.children]) if (before.textContent === text) before.remove();
  while (place.children.length >= SHOWN_MAX) place.firstChild.remove();
  const close = h(
    "button",
    { class: "button quiet round compact", "aria-label": "Close", onclick: () => notice.remove() },
    icon("close"),
  );
  const notice = h("div", { class: `notice ${kind}` }, h("span", { class: "grow" }, text), close);
  place.append(notice);
  setTimeout(() => notice.remove(), kind === "good" ? GOOD_MS : SHOWN_MS);
}
