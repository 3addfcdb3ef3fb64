// Text with formatting: how it stands in the editor, in a mail and as plain text.
const way = () => document.querySelector("data.way[data-file]")

// Pictures stand in mail under their content id, and in the page under the address of their file.
export const MARK = /^(\d+)-[0-9a-f]+@rabta$/
export const addressOf = cid => way().dataset.file.replace("/0/", `/${MARK.exec(cid)[1]}/`)

function parse(html) {
  const box = document.createElement("template")
  box.innerHTML = html
  return box
}

export function toMail(html) {
  const box = parse(html)
  for (const image of box.content.querySelectorAll("img[data-cid]")) {
    image.setAttribute("src", `cid:${image.dataset.cid}`)
    image.removeAttribute("data-cid")
  }
  return box.innerHTML
}

// Text as paragraphs, its single line breaks kept.
export function toHtml(text) {
  const holder = document.createElement("div")
  for (const block of text.replace(/\r\n?/g, "\n").split(/\n{2,}/)) {
    const paragraph = document.createElement("p")
    block.split("\n").forEach((line, index) => paragraph.append(...(index ? [document.createElement("br"), line] : [line])))
    holder.append(paragraph)
  }
  return holder.innerHTML
}

const SPACED = { paragraph: 2, codeBlock: 2, blockquote: 2, bulletList: 2, orderedList: 2, listItem: 1 }
export function toText(doc) {
  const lines = (node, indent) => {
    if (node.type.name === "hardBreak") return "\n"
    if (node.isText) return node.text
    if (node.type.name === "image") return node.attrs.alt ? `[${node.attrs.alt}]` : ""
    let out = ""
    node.forEach((child, _at, index) => {
      let part = lines(child, indent)
      if (child.type.name === "listItem") part = `${node.type.name === "orderedList" ? `${index + 1}.` : "-"} ${part}`
      out += (index && child.isBlock ? "\n".repeat(node.type.name === "listItem" ? 1 : (SPACED[child.type.name] ?? 1)) : "") + part
    })
    return out
  }
  return lines(doc, 0)
}

// Where in the editor's document the text position of the plain field is.
export function place(doc, before) {
  let left = before.replace(/\n/g, "").length
  let at = 1
  doc.descendants((node, pos) => {
    if (left < 0 || !node.isText) return left >= 0
    if (node.text.length >= left) {
      at = pos + left
      left = -1
    } else left -= node.text.length
    return false
  })
  return left > 0 ? doc.content.size - 1 : at
}
