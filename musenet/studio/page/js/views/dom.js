/**
 * Building elements.
 * @module
 */

const SVG = "http://www.w3.org/2000/svg";

/** An element. Names that begin with `on` are listeners; true and false switch an attribute.
 * @param {Record<string, any>} [properties]
 * @param {...(Node | string | null | false)} children
 * @returns {HTMLElement} */
export function h(tag, properties = {}, ...children) {
  return filled(document.createElement(tag), properties, children);
}

/** An element of a picture. @returns {SVGElement} */
export function svg(tag, properties = {}, ...children) {
  return filled(document.createElementNS(SVG, tag), properties, children);
}

function filled(element, properties, children) {
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("on")) listen(element, name.slice(2), value);
    else if (name === "value" || name === "checked") element[name] = value;
    else if (name === "colour") element.style.setProperty("--colour", value);
    else if (value !== false && value !== null && value !== undefined) {
      element.setAttribute(name, value === true ? "" : value);
    }
  }
  element.append(...children.flat(3).filter((child) => child !== null && child !== false && child !== undefined));
  return element;
}

const listeners = new WeakMap();

/** Has an element call a function; another one later takes its place. */
function listen(element, name, act) {
  const known = listeners.get(element) ?? new Map();
  listeners.set(element, known);
  if (!known.has(name)) element.addEventListener(name, (event) => known.get(name)?.(event));
  known.set(name, act);
}

/** Puts other children into an element. Those that are of one kind with the old ones only change,
 * so that what is pressed, dragged or has the focus stays what it is. */
export function refill(element, ...children) {
  const key = element.contains(document.activeElement) && document.activeElement.dataset.key;
  reconcile(element, children.flat().filter(Boolean));
  if (key && !element.contains(document.activeElement)) {
    element.querySelector(`[data-key="${CSS.escape(key)}"]`)?.focus({ preventScroll: true });
  }
}

function reconcile(element, children) {
  children.forEach((child, place) => {
    const old = element.childNodes[place];
    if (!old) element.append(child);
    else if (alike(old, child)) become(old, child);
    else element.replaceChild(child instanceof Node ? child : new Text(child), old);
  });
  while (element.childNodes.length > children.length) element.lastChild.remove();
}

const alike = (old, child) =>
  child instanceof Element && old.nodeName === child.nodeName && old.dataset?.key === child.dataset?.key;

/** An old element takes the attributes, listeners and children of a new one. */
function become(old, child) {
  for (const { name } of [...old.attributes]) if (!child.hasAttribute(name)) old.removeAttribute(name);
  for (const { name, value } of child.attributes) {
    if (name === "style") old.style.cssText = child.style.cssText;
    else if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  const gone = [...(listeners.get(old)?.keys() ?? [])].filter((name) => !listeners.get(child)?.has(name));
  for (const name of gone) listeners.get(old).delete(name);
  for (const [name, act] of listeners.get(child) ?? []) listen(old, name, act);
  const { value } = child;
  reconcile(old, [...child.childNodes]);
  const typing = old === document.activeElement && old.matches("input:not([type=range])");
  if (old.matches("input, select") && old.value !== value && !typing) old.value = value;
}

const ICONS = {
  play: "M7 4.5v15l12.5-7.5z",
  pause: "M6.5 4.5h4v15h-4zM13.5 4.5h4v15h-4z",
  start: "M5 5h2.5v14H5zM19.5 5v14L8.5 12z",
  stop: "M5.5 5.5h13v13h-13z",
  undo: "M9 4 3.5 9.5 9 15v-3.8h5.2a3.3 3.3 0 0 1 0 6.6H8v2.4h6.2a5.7 5.7 0 0 0 0-11.4H9z",
  redo: "M15 4l5.5 5.5L15 15v-3.8H9.800a3.3 3.3 0 0 0 0 6.600H16v2.400H9.800a5.7 5.7 0 0 1 0-11.400H15z",
  close: "M6.2 4.8 12 10.600l5.8-5.8 1.4 1.4-5.8 5.8 5.8 5.8-1.4 1.4-5.8-5.8-5.8 5.8-1.4-1.4 5.8-5.8-5.8-5.800z",
  more: "M5 10a2 2 0 1 1 0 4 2 2 0 0 1 0-4zm7 0a2 2 0 1 1 0 4 2 2 0 0 1 0-4zm7 0a2 2 0 1 1 0 4 2 2 0 0 1 0-4z",
  down: "M5.4 8.4 12 15l6.6-6.6 1.4 1.4-8 8-8-8z",
  plus: "M11 4.500h2V11h6.500v2H13v6.500h-2V13H4.500v-2H11z",
  minus: "M4.5 11h15v2h-15z",
  pencil: "M4 16.600V20h3.400L18 9.4 14.6 6zM19.9 7.500a1 1 0 0 0 0-1.400l-2-2a1 1 0 0 0-1.4 0L15.3 5.300l3.4 3.400z",
  save: "M11 3.500h2V13l3.2-3.2 1.4 1.400L12 16.800l-5.6-5.6 1.4-1.400L11 13zM4.5 18.500h15v2h-15z",
  help: "M12 2.500a9.5 9.5 0 1 0 0 19 9.5 9.5 0 0 0 0-19zm1.1 15.300h-2.200v-2.200h2.200zm2-7.400c-.6 1.1-1.9 1.5-1.9 3v.5h-2.300v-.8c0-2.5 2.3-2.9 2.3-4.3 0-.7-.5-1.2-1.3-1.2-.9 0-1.4.6-1.5 1.500H8.100C8.2 7 9.7 5.8 12 5.800c2.2 0 3.6 1.2 3.6 3 0 .6-.2 1.1-.5 1.600z",
  theme: "M12 2.500a9.5 9.5 0 1 0 0 19 9.5 9.5 0 0 0 0-19zM12 19.400V4.600a7.4 7.4 0 0 1 0 14.800z",
  check: "M9.3 18.3 3.5 12.500l1.6-1.6 4.2 4.200L18.9 5.500l1.6 1.600z",
  warn: "M12 3 1.5 21h21zm1 14.500h-2v-2h2zm0-4h-2v-4.500h2z",
  note: "M9 4.5 19.5 3v12.300a3 3 0 1 1-2-2.800V7.300L11 8.300v9a3 3 0 1 1-2-2.800z",
  fit: "M3 5h2v14H3zM19 5h2v14h-2zM6.5 12l4-4v3h3V8l4 4-4 4v-3h-3v3z",
  map: "M6 13a2.5 2.5 0 1 1 0 5 2.5 2.5 0 0 1 0-5zM10 4.5a2 2 0 1 1 0 4 2 2 0 0 1 0-4zM17 5.5a3 3 0 1 1 0 6 3 3 0 0 1 0-6zM15.5 15a2 2 0 1 1 0 4 2 2 0 0 1 0-4z",
};

/** A picture that says nothing to screen readers. */
export const icon = (name) =>
  svg("svg", { viewBox: "0 0 24 24", class: "icon", "aria-hidden": "true" }, svg("path", { d: ICONS[name] }));

/** A button with a picture, whose words are for screen readers and the tooltip. */
export const iconButton = (name, label, onclick, properties = {}) =>
  h("button", { type: "button", class: "icon-button", "aria-label": label, title: label, onclick, ...properties }, icon(name));

/** A button with words. */
export const button = (label, onclick, properties = {}) =>
  h("button", { type: "button", onclick, ...properties }, label);

/** A window over the page that Escape closes and that goes away with its focus given back. */
export function dialog(title, ...content) {
  const close = iconButton("close", "Close", () => element.close());
  const element = h("dialog", { "aria-label": title },
    h("header", {}, h("h2", {}, title), close), ...content);
  element.addEventListener("click", (event) => event.target === element && element.close());
  element.addEventListener("close", () => element.remove());
  document.body.append(element);
  element.showModal();
  return element;
}
