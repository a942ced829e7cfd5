// The audit's page: another filter in the charts, and the sliders over thresholds.
(function () {
  "use strict";
  var kit = window.hinterland, all = kit.all;
  var make = function (tag, name, words) {
    var made = document.createElement(tag);
    if (name) made.className = name;
    if (words !== undefined) made.textContent = words;
    return made;
  };

  // One choice of filter for all groupings. Words and figures were made when the page was.
  var boxes = all("[data-kept]").map(function (box) {
    // The rows in their first order, which is that of the data, whatever they are sorted by later.
    return { box: box, data: kit.data(box.getAttribute("data-kept")), rows: all("tbody tr", box.querySelector("table")) };
  }).filter(function (each) { return each.data; });

  var draw = function (each, number) {
    var data = each.data, now = data.by[number], svg = each.box.querySelector("svg");
    var live = svg.querySelector(".hl-live");
    var zero = parseFloat(live.getAttribute("data-zero")), one = parseFloat(live.getAttribute("data-one"));
    var at = function (share) { return (zero + share * (one - zero)).toFixed(1); };
    var marks = all(".hl-mark", live), values = all(".hl-value text", live);
    now.marks.forEach(function (mark, i) {
      var dot = marks[i].querySelector(".hl-dot"), whisker = marks[i].querySelector(".hl-whisker");
      var y = parseFloat(dot.getAttribute("cy")), seen = mark[0] !== null;
      dot.setAttribute("display", seen ? "inline" : "none");
      if (seen) dot.setAttribute("cx", at(mark[0]));
      whisker.setAttribute("d", seen && mark[1] !== null && mark[2] !== null
        ? "M" + at(mark[1]) + " " + y + "H" + at(mark[2]) +
          "M" + at(mark[1]) + " " + (y - 4) + "v8M" + at(mark[2]) + " " + (y - 4) + "v8" : "");
      marks[i].querySelector("title").textContent = data.drawn[i] + ": " + now.words[i];
      values[i].textContent = now.words[i];
    });
    var rule = live.querySelector(".hl-ref"), words = live.querySelector(".hl-ref-label text");
    if (rule && now.all !== null) {
      rule.setAttribute("d", rule.getAttribute("d").replace(/^M[^ ]+/, "M" + at(now.all)));
      words.setAttribute("x", at(now.all));
      words.setAttribute("text-anchor", now.all > 0.75 ? "end" : now.all < 0.25 ? "start" : "middle");
      words.textContent = now.allWords;
    }
    svg.querySelector("title").textContent =
      "Share of documents kept " + data.caption + ", " + data.filters[number];
    svg.querySelector("desc").textContent = data.drawn.map(function (name, i) {
      return name + ": " + now.words[i];
    }).join("; ") + ".";
    var table = each.box.querySelector("table");
    each.rows.forEach(function (row, i) {
      data.columns.forEach(function (column, k) {
        var cell = row.cells[column], given = now.cells[i][k];
        cell.textContent = given[0];
        if (cell.classList.contains("n")) cell.setAttribute("data-sort", given[1] === null ? "" : given[1]);
      });
    });
    table.caption.textContent = "Kept by " + data.filters[number] + ", " + data.caption + ".";
    each.box.querySelector(".which").textContent = "Kept by " + data.filters[number] + ".";
    kit.resort(table);
  };
  var choices = [];
  boxes.forEach(function (each, number) {
    var row = make("p", "choose"), label = make("label", "", each.data.label), select = make("select");
    select.id = "filter-" + number;
    label.htmlFor = select.id;
    each.data.filters.forEach(function (name, i) {
      var option = make("option", "", name);
      option.value = String(i);
      select.appendChild(option);
    });
    select.value = String(each.data.filters.length - 1);
    select.addEventListener("change", function () {
      choices.forEach(function (other) { other.value = select.value; });
      boxes.forEach(function (box) { draw(box, Number(select.value)); });
    });
    choices.push(select);
    row.appendChild(label);
    row.appendChild(select);
    each.box.insertBefore(row, each.box.querySelector("figure"));
  });

  // Sliders. All figures are thousandths, made when the page was.
  var given = kit.data("curves");
  var percent = function (value) { return value === null ? "–" : (value / 10).toFixed(1) + "%"; };
  var ratio = function (value) { return value === null ? "–" : (value / 1000).toFixed(3); };
  var slide = function (box) {
    var curve = given.curves[Number(box.getAttribute("data-curve"))], last = curve.steps.length - 1;
    var id = "slider-" + box.getAttribute("data-curve");
    var part = make("div", "slider"), label = make("label"), input = make("input");
    var now = make("p", "now"), status = make("p", "unseen"), row = make("div", "row");
    input.type = "range";
    input.id = id;
    input.min = "0";
    input.max = String(last);
    input.step = "1";
    input.value = String(curve.now !== null ? curve.now : Math.round(last / 2));
    label.htmlFor = id;
    label.textContent = "Threshold: keep if " + curve.column + " " + curve.sign;
    status.setAttribute("role", "status");
    status.setAttribute("aria-live", "polite");
    var cursor = box.querySelector(".hl-cursor"), cells = all("td.live", box), waiting;
    all(".live", box).forEach(function (cell) { cell.hidden = false; });
    if (cursor) cursor.removeAttribute("display");
    var show = function () {
      var i = Number(input.value), worst = null, best = null;
      curve.groups.forEach(function (group) {
        if (!group[1] || group[2][i] === null) return;
        if (!worst || group[2][i] < worst[2][i]) worst = group;
        if (!best || group[2][i] > best[2][i]) best = group;
      });
      var words = "At " + curve.steps[i] + ": keeps " + percent(curve.kept[i]) + " of documents and " +
        percent(curve.tokens[i]) + " of " + given.unit + ".";
      if (worst && best && worst !== best && curve.disparity[i] !== null) {
        words += " Worst kept: " + worst[0] + ", " + percent(worst[2][i]) + "; best kept: " + best[0] + ", " +
          percent(best[2][i]) + "; ratio " + ratio(curve.disparity[i]) + ".";
      }
      if (i === curve.now) words += " This is the threshold now in force.";
      if (i === curve.best) words += " This is the best threshold at the bound asked for.";
      now.textContent = words;
      input.setAttribute("aria-valuetext", curve.steps[i]);
      var shown = [percent(curve.kept[i]), percent(curve.tokens[i])];
      curve.groups.forEach(function (group) { shown.push(percent(group[2][i])); });
      shown.push(ratio(curve.disparity[i]));
      cells.forEach(function (cell, k) { cell.textContent = shown[k]; });
      if (cursor) {
        var start = parseFloat(cursor.getAttribute("data-start")), end = parseFloat(cursor.getAttribute("data-end"));
        var x = (start + (last ? i / last : 0) * (end - start)).toFixed(1);
        cursor.setAttribute("d", cursor.getAttribute("d").replace(/^M[^ ]+/, "M" + x));
      }
    };
    input.addEventListener("input", function () {
      show();
      window.clearTimeout(waiting);
      waiting = window.setTimeout(function () { status.textContent = now.textContent; }, 400);
    });
    [["now", "To the threshold now in force"], ["best", "To the best threshold"]].forEach(function (each) {
      if (curve[each[0]] === null) return;
      var button = make("button", "go", each[1]);
      button.type = "button";
      button.addEventListener("click", function () {
        input.value = String(curve[each[0]]);
        show();
        status.textContent = now.textContent;
      });
      row.appendChild(button);
    });
    [label, input, now, row, status].forEach(function (each) { part.appendChild(each); });
    var figure = box.querySelector("figure");
    figure.parentNode.insertBefore(part, figure.nextSibling);
    show();
  };
  if (given) all("[data-curve]").forEach(slide);
})();
