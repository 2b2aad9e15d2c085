// The picker of emoji for reactions.

import { placeBeside } from "../core/dialog.js";
import { fill, h } from "../core/dom.js";

const EMOJI =
  "👍 ❤️ 😂 🎉 😮 😢 🙏 🔥 👀 ✅ 💯 🚀 😀 😊 😎 🤔 😴 🤯 👏 🙌 💪 👋 🤝 👎 ⭐ ☕ 🍕 🐛 💡 📌 ❓ ❌".split(
    " ",
  );
const COLUMNS = 8;

// Open a grid of emoji beside a button; call `pick` with the chosen one.
export function pickEmoji(button, pick) {
  const buttons = EMOJI.map((emoji) =>
    h(
      "button",
      {
        type: "button",
        class: "emoji",
        "aria-label": emoji,
        onclick: () => (picker.hidePopover(), pick(emoji)),
      },
      emoji,
    ),
  );
  const picker = fill(
    h("div", { class: "menu picker", role: "group", "aria-label": "Choose a reaction", popover: "auto" }),
    buttons,
  );
  const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: COLUMNS, ArrowUp: -COLUMNS };
  picker.addEventListener("keydown", (event) => {
    const step = steps[event.key];
    if (!step) return;
    event.preventDefault();
    const now = buttons.indexOf(document.activeElement);
    buttons[(now + step + buttons.length) % buttons.length].focus();
  });
  picker.addEventListener(
    "toggle",
    (event) => event.newState === "closed" && (picker.remove(), button.focus()),
  );
  document.body.append(picker);
  picker.showPopover();
  placeBeside(picker, button);
  buttons[0].focus();
}
