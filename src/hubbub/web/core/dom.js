// Making elements. Text is only ever set as text: there is no way here to parse markup.

const SVG = "http://www.w3.org/2000/svg";
const PROPERTIES = new Set(["value", "checked", "disabled", "hidden", "selected", "indeterminate"]);

// Make an element: h("p", { class: "note", onclick: f }, "text", anotherElement).
export function h(tag, props, ...children) {
  return fill(set(document.createElement(tag), props), ...children);
}

// Make an element of an SVG picture.
export function svg(tag, props, ...children) {
  return fill(set(document.createElementNS(SVG, tag), props), ...children);
}

// Set attributes, properties and handlers; null and false leave an attribute out.
export function set(element, props) {
  for (const [name, value] of Object.entries(props ?? {})) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (PROPERTIES.has(name)) element[name] = value;
    else if (name.startsWith("aria-") && typeof value === "boolean")
      element.setAttribute(name, String(value));
    else if (value === null || value === undefined || value === false) element.removeAttribute(name);
    else element.setAttribute(name, value === true ? "" : value);
  }
  return element;
}

// Replace what an element holds; strings become text, null is left out. A link that has the
// focus keeps it: a user who is about to press Enter must not lose it to news.
export function fill(element, ...children) {
  const focused = element.contains(document.activeElement) && document.activeElement.getAttribute("href");
  element.replaceChildren(
    ...children.flat(2).filter((child) => child !== null && child !== false && child !== undefined),
  );
  if (focused) element.querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
  return element;
}

// What all views have: the application, and an end. `signal` aborts when the view is left.
export class View extends HTMLElement {
  // Set before the view is shown: { connection, profiles, user, role, go, notify, announce }.
  app;
  #leaving = new AbortController();

  get signal() {
    return this.#leaving.signal;
  }

  get connection() {
    return this.app.connection;
  }

  connectedCallback() {
    this.enter();
  }

  disconnectedCallback() {
    this.#leaving.abort();
  }

  // Show what the rest of the address names: called at first and whenever it changes.
  navigate(path) {}

  // Build the view.
  enter() {}

  // Show an error to the user, and say false; for `.catch`.
  failed = (error) => {
    if (error.code !== "cancelled") this.app.notify(error.message, "error");
    return false;
  };
}

// Call something at most once for each turn of the display.
export function onceAFrame(work) {
  let waits = false;
  return () => {
    if (waits) return;
    waits = true;
    requestAnimationFrame(() => {
      waits = false;
      work();
    });
  };
}

const clock = new Intl.DateTimeFormat([], { hour: "2-digit", minute: "2-digit" });
const day = new Intl.DateTimeFormat([], { day: "numeric", month: "short" });

// "14:05", or with the day when it was not today.
export function timeOf(at) {
  const time = new Date(at);
  if (time.toDateString() === new Date().toDateString()) return clock.format(time);
  return `${day.format(time)}, ${clock.format(time)}`;
}
