// The rubric's arithmetic, for showing the score at once. The server computes the one that counts.

/** The ids of the earned criteria that count: of each pick_one list only the one furthest from 0. */
export function counted(rubric, earned) {
  const dropped = new Set();
  for (const group of rubric.pick_one) {
    const present = rubric.criteria.filter((c) => earned.has(c.id) && group.includes(c.id));
    if (present.length < 2) continue;
    const best = present.reduce((a, b) => (Math.abs(b.points) > Math.abs(a.points) ? b : a));
    for (const c of present) if (c !== best) dropped.add(c.id);
  }
  return new Set([...earned].filter((id) => !dropped.has(id)));
}

export function score(rubric, earned, adjustment) {
  const counts = counted(rubric, earned);
  let total = rubric.start === "full" ? rubric.cap : 0;
  for (const c of rubric.criteria) if (counts.has(c.id)) total += c.points;
  total = Math.round((total + adjustment) * 1e6) / 1e6;
  return Math.min(Math.max(total, rubric.floor), rubric.cap);
}
