// Dialogs and menus, with the browser's own <dialog> and popover, which handle focus and Escape.

import { fill, h } from "./dom.js";
import { icon } from "./icons.js";

// Show a form in a dialog and wait for its result. Each field is
// { name, label, type?, value?, required?, ...attributes }, or { name, label, options: [[value, label]] }.
// `act` takes the values by name; its error is shown in the dialog, which stays open.
// Returns the result of `act`, or null if the dialog was closed.
export function formDialog(
  title,
  fields,
  { submit = "OK", act = (values) => values, text = null, danger = false } = {},
) {
  return new Promise((resolve) => {
    let result = null;
    const wrong = h("p", { class: "wrong", role: "alert", hidden: true });
    const button = h("button", { class: `button ${danger ? "danger" : "primary"}`, type: "submit" }, submit);
    const close = h(
      "button",
      { class: "button quiet", type: "button", onclick: () => dialog.close() },
      "Cancel",
    );
    const form = h(
      "form",
      { onsubmit: send },
      h("h2", { id: "dialog-title" }, title),
      text && h("p", { class: "muted" }, text),
      fields.map(field),
      wrong,
      h("div", { class: "actions" }, close, button),
    );
    const dialog = h("dialog", { "aria-labelledby": "dialog-title" }, form);
    dialog.addEventListener("close", () => (dialog.remove(), resolve(result)));

    async function send(event) {
      event.preventDefault();
      button.disabled = true;
      try {
        result = (await act(valuesOf(form))) ?? true;
        dialog.close();
      } catch (error) {
        fill(wrong, error.message).hidden = false;
      } finally {
        button.disabled = false;
      }
    }

    document.body.append(dialog);
    dialog.showModal();
  });
}

// Show content in a dialog with a Close button; return the dialog.
export function openDialog(title, ...content) {
  const close = h(
    "button",
    { class: "button quiet", type: "button", onclick: () => dialog.close() },
    "Close",
  );
  const dialog = h(
    "dialog",
    { "aria-labelledby": "dialog-title" },
    h(
      "div",
      { class: "column" },
      h("h2", { id: "dialog-title" }, title),
      content,
      h("div", { class: "actions" }, close),
    ),
  );
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

// Ask the user to confirm an action.
export function confirmDialog(title, text, { submit = "OK", danger = false, act } = {}) {
  return formDialog(title, [], { text, submit, danger, act: act ?? (() => true) });
}

// Make a labelled field of a form; see formDialog.
export function field({ name, label, type = "text", options = null, ...attributes }) {
  if (type === "checkbox") {
    return h("label", { class: "check" }, h("input", { type, name, ...attributes }), h("span", null, label));
  }
  const input = options
    ? h(
        "select",
        { class: "input", name, ...attributes },
        options.map(([value, text]) => h("option", { value }, text)),
      )
    : h("input", { class: "input", type, name, ...attributes });
  return h("label", { class: "field" }, h("span", null, label), input);
}

// Return the values of a form's fields, by name; a checkbox has true or false.
export function valuesOf(form) {
  const fields = [...form.elements].filter((element) => element.name);
  return Object.fromEntries(
    fields.map((one) => [one.name, one.type === "checkbox" ? one.checked : one.value]),
  );
}

// Open a menu beside a button. Each item is { label, icon, act, danger? }; null is left out.
export function openMenu(button, items) {
  const menu = h("div", { class: "menu", role: "menu", popover: "auto" });
  const buttons = items.filter(Boolean).map((item) =>
    h(
      "button",
      {
        role: "menuitem",
        type: "button",
        class: item.danger ? "danger" : null,
        onclick: () => (menu.hidePopover(), item.act()),
      },
      item.icon && icon(item.icon),
      item.label,
    ),
  );
  fill(menu, buttons);
  menu.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const now = buttons.indexOf(document.activeElement);
    buttons[(now + step + buttons.length) % buttons.length].focus();
  });
  menu.addEventListener("toggle", (event) => event.newState === "closed" && menu.remove());
  (button.closest("dialog") ?? document.body).append(menu);
  menu.showPopover();
  placeBeside(menu, button);
  buttons[0]?.focus();
}

// Place a fixed element below or above a button, inside the window.
export function placeBeside(element, button) {
  const at = button.getBoundingClientRect();
  const { width, height } = element.getBoundingClientRect();
  const below = at.bottom + 4 + height <= innerHeight;
  element.style.top = `${Math.max(8, below ? at.bottom + 4 : at.top - height - 4)}px`;
  element.style.left = `${Math.max(8, Math.min(at.right - width, innerWidth - width - 8))}px`;
}
