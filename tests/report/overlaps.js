// What lies where it must not in the picture of a report: texts that leave their boxes, boxes on boxes, arrows in boxes.
() => {
  const all = (selector, inside = picture) => [...inside.querySelectorAll(selector)];
  const meet = (a, b, by) =>
    a.x < b.x + b.width - by && b.x < a.x + a.width - by && a.y < b.y + b.height - by && b.y < a.y + a.height - by;
  const groups = all(".box").map((group) => ({
    group,
    box: (group.querySelector(".border") || group.querySelector(".body")).getBBox(),
  }));
  const boxes = groups.map(({ box }) => box).sort((a, b) => a.y - b.y);

  const texts = groups.flatMap(({ group, box }) =>
    all("text", group).filter((text) => {
      const at = text.getBBox();
      return at.x < box.x - 1 || at.x + at.width > box.x + box.width + 1;
    }),
  );
  const onBoxes = boxes.filter((one, i) => {
    for (let j = i + 1; j < boxes.length && boxes[j].y < one.y + one.height; j++) {
      if (meet(one, boxes[j], 1)) return true;
    }
    return false;
  });
  const inBoxes = all(".arrow").filter((path) => {
    const around = path.getBBox();
    const near = boxes.filter((box) => meet(box, around, 2));
    const length = near.length ? path.getTotalLength() : 0;
    for (let at = 0; at < length; at += 6) {
      const { x, y } = path.getPointAtLength(at);
      if (near.some((box) => meet(box, { x: x - 2, y: y - 2, width: 4, height: 4 }, 4))) return true;
    }
    return false;
  });
  return [texts.map((text) => text.textContent), onBoxes.length, inBoxes.map((path) => path.getAttribute("d"))];
};
