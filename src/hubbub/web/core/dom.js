// Creates elements. Text is only ever set as text: nothing here parses markup.

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

// Replace the content of an element; strings become text, null is left out. A focused link keeps
// the focus, so that a user who is about to press Enter does not lose it to an update.
export function fill(element, ...children) {
  const focused = element.contains(document.activeElement) && document.activeElement.getAttribute("href");
  element.replaceChildren(
    ...children.flat(2).filter((child) => child !== null && child !== false && child !== undefined),
  );
  if (focused) element.querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
  return element;
}

// The base of all views: the application, and a `signal` that aborts when the view is closed.
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

  // Show the rest of the address: called at first and on every change.
  navigate(path) {}

  // Build the view.
  enter() {}

  // Show an error to the user, and return false; for `.catch`.
  failed = (error) => {
    if (error.code !== "cancelled") this.app.notify(error.message, "error");
    return false;
  };
}

// Call a function at most once for each frame of the display.
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

// "14:05", or with the date if it was not today.
export function timeOf(at) {
  const time = new Date(at);
  if (time.toDateString() === new Date().toDateString()) return clock.format(time);
  return `${day.format(time)}, ${clock.format(time)}`;
}
