// The theme: dark or light, by default the system's.

const THEME = "hubbub.theme";

// Apply the stored choice.
export function restoreTheme() {
  const chosen = localStorage.getItem(THEME);
  if (chosen) document.documentElement.dataset.theme = chosen;
}

// Switch between dark and light.
export function switchTheme() {
  const { dataset } = document.documentElement;
  const dark = dataset.theme ? dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  dataset.theme = dark ? "light" : "dark";
  localStorage.setItem(THEME, dataset.theme);
}
