// What an answer shows was read before it came. What the server told of meanwhile is brought in once more behind it, or it
// would be overwritten by what was before, and stay so until the ticket changes again.
const KEPT = 60000 // milliseconds; no answer takes longer
const told = []

export function note(frame) {
  told.push({ at: Date.now(), frame })
  while (told[0].at < Date.now() - KEPT) told.shift()
}

// Frames that came since then, in their order; none where nobody knows since when.
export const since = begun => told.filter(({ at }) => at >= begun).map(({ frame }) => frame)
