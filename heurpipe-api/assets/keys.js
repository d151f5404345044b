// Keys for those who prefer them; every page is complete without.
//   /      to the filter box
//   j, k   to the next or previous post
//   n      to the next page
"use strict";
document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, textarea, select");
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (typing) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  const posts = [...document.querySelectorAll(".card > .cover")];
  const step = (by) => {
    const now = posts.findIndex((post) => post.closest(".card").contains(document.activeElement));
    const next = now < 0 ? 0 : Math.min(Math.max(now + by, 0), posts.length - 1);
    posts[next]?.focus();
  };
  if (event.key === "/") {
    const box = document.querySelector("#filter");
    if (!box) return;
    event.preventDefault();
    box.focus();
    box.select();
  } else if (event.key === "j") {
    step(1);
  } else if (event.key === "k") {
    step(-1);
  } else if (event.key === "n") {
    document.querySelector("a[rel=next]")?.click();
  }
});
