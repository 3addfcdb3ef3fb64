// The field above the list: what is found as one types is the server's; here is how one gets in and out of it.
const field = () => document.querySelector("#search input[type=search]")

export function focus() {
  field()?.focus()
  field()?.select()
}

// An empty field gives the list back.
export function end() {
  if (!field()?.value) return false
  field().value = ""
  field().dispatchEvent(new Event("input", { bubbles: true }))
  return true
}

document.addEventListener("click", event => {
  if (!event.target.closest?.("#search-end")) return
  event.preventDefault()
  end()
  field().focus()
})
