// Small boxes that open beside what they belong to, in the top layer: above it where there is room, else below.
export function open(box, { left, right = left, top, bottom = top }) {
  if (!box.matches(":popover-open")) box.showPopover()
  const rtl = getComputedStyle(document.documentElement).direction === "rtl"
  const { offsetWidth: width, offsetHeight: height } = box
  const x = rtl ? right - width : left
  box.style.left = `${Math.max(8, Math.min(x, innerWidth - width - 8))}px`
  box.style.top = `${top - height - 6 >= 8 ? top - height - 6 : Math.min(bottom + 6, Math.max(8, innerHeight - height - 8))}px`
}

// One of the options of a list is chosen while the focus stays in a field: what the arrows do, and what a reader hears.
export function walk(list, step, field) {
  const options = [...list.querySelectorAll("[role=option]:not([hidden])")]
  if (!options.length) return null
  const at = options.findIndex(one => one.getAttribute("aria-selected") === "true")
  const next = step === 0 ? options[Math.max(at, 0)] : options.at((at + step + options.length) % options.length)
  for (const one of list.querySelectorAll("[role=option]")) one.setAttribute("aria-selected", String(one === next))
  next.scrollIntoView({ block: "nearest" })
  field?.setAttribute("aria-activedescendant", next.id)
  return next
}

export const chosen = list => list.querySelector("[role=option][aria-selected=true]:not([hidden])")
export const folded = text => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase()
