// Small icons, drawn with strokes in the colour of the text.

import { svg } from "./dom.js";

const PATHS = {
  admin: "M4 20V10M10 20V4M16 20v-7M22 20H2",
  back: "M15 18l-6-6 6-6",
  cart: "M3 4h2l2.5 11h10L20 7H6.2M9 20.5a.5.5 0 1 1 0-1 .5.5 0 0 1 0 1zM17 20.5a.5.5 0 1 1 0-1 .5.5 0 0 1 0 1z",
  chat: "M21 12a8 8 0 0 1-8 8H4l1.8-3.2A8 8 0 1 1 21 12z",
  check: "M5 12.5l4.5 4.5L19 7.5",
  close: "M6 6l12 12M18 6L6 18",
  contrast: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM12 3v18",
  down: "M6 9l6 6 6-6",
  edit: "M4 20h4L19 9l-4-4L4 16v4zM13.5 6.5l4 4",
  eye: "M2 12s3.5-7 10-7 10 7 10 7-3.5 7-10 7-10-7-10-7zM12 9a3 3 0 1 0 0 6 3 3 0 0 0 0-6z",
  flag: "M5 21V4h11l-2 4 2 4H5",
  games: "M12 3l2.6 5.6 6.1.7-4.5 4.2 1.2 6L12 16.5l-5.4 3 1.2-6-4.5-4.2 6.1-.7z",
  lock: "M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 0 1 7 0v3",
  minus: "M5 12h14",
  more: "M5 11a1 1 0 1 0 .01 0zM12 11a1 1 0 1 0 .01 0zM19 11a1 1 0 1 0 .01 0z",
  out: "M9 4H5v16h4M15 8l4 4-4 4M19 12H9",
  people:
    "M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM2.5 20c0-3.5 3-6 6.5-6s6.5 2.5 6.5 6M16 4.5a3.5 3.5 0 0 1 0 6M18 14.5c2.2.8 3.5 3 3.5 5.5",
  play: "M7 4.5v15l12-7.5z",
  plus: "M12 5v14M5 12h14",
  reply: "M10 7L4 12l6 5v-3.5c5 0 8 1.5 10 4.5 0-6-4-9-10-9.5z",
  search: "M11 4a7 7 0 1 0 0 14 7 7 0 0 0 0-14zM16 16l4.5 4.5",
  send: "M4 12l16-8-5 16-3.5-6.5z",
  shop: "M5 8h14l1 12H4zM9 8V7a3 3 0 0 1 6 0v1",
  smile: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM8.5 14.5c1.8 2.3 5.2 2.3 7 0M9 9.5h.01M15 9.5h.01",
  trash: "M4 7h16M9 7V4h6v3M6 7l1 13h10l1-13",
  trophy: "M8 4h8v6a4 4 0 0 1-8 0zM8 6H4.5a3.5 3.5 0 0 0 3.7 4M16 6h3.5a3.5 3.5 0 0 1-3.7 4M12 14v4M8 20h8",
  user: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4 21c0-4 3.6-7 8-7s8 3 8 7",
};

// Make an icon; the button or heading around it has the label.
export function icon(name) {
  return svg(
    "svg",
    { class: "icon", viewBox: "0 0 24 24", "aria-hidden": "true" },
    svg("path", { d: PATHS[name] }),
  );
}
