// Without this script the page is complete: tables in their given order, every panel open to read.
(function () {
  "use strict";
  var all = function (selector, within) {
    return Array.prototype.slice.call((within || document).querySelectorAll(selector));
  };

  // Tables that sort by their headings.
  var heads = function (table) { return Array.prototype.slice.call(table.tHead.rows[0].cells); };
  var key = function (row, column) {
    var cell = row.cells[column], given = cell.getAttribute("data-sort");
    return given === null ? cell.textContent.trim() : given;
  };
  var sort = function (table, column, down) {
    var body = table.tBodies[0], head = heads(table)[column], numeric = head.classList.contains("n");
    heads(table).forEach(function (other) { other.removeAttribute("aria-sort"); });
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    Array.prototype.slice.call(body.rows).sort(function (a, b) {
      var x = key(a, column), y = key(b, column), order;
      if (numeric) {
        x = parseFloat(x); y = parseFloat(y);
        if (isNaN(x) || isNaN(y)) return isNaN(x) - isNaN(y);
        order = x - y;
      } else order = x.localeCompare(y);
      return down ? -order : order;
    }).forEach(function (row) { body.appendChild(row); });
  };
  all("table[data-sortable]").forEach(function (table) {
    heads(table).forEach(function (head, column) {
      var button = document.createElement("button");
      button.type = "button";
      while (head.firstChild) button.appendChild(head.firstChild);
      head.appendChild(button);
      button.addEventListener("click", function () {
        var was = head.getAttribute("aria-sort");
        sort(table, column, was ? was === "ascending" : head.classList.contains("n"));
      });
    });
  });

  // A choice of one panel among several; without the script they stand one below the other.
  all("[data-panels]").forEach(function (box, number) {
    var panels = all("[data-panel]", box).filter(function (panel) {
      return panel.parentNode === box;
    });
    if (panels.length < 2) return;
    var label = document.createElement("label"), select = document.createElement("select"), groups = {};
    select.id = "panels-" + number;
    label.htmlFor = select.id;
    label.textContent = box.getAttribute("data-panels");
    panels.forEach(function (panel, i) {
      var option = document.createElement("option"), group = panel.getAttribute("data-group");
      option.value = String(i);
      option.textContent = panel.getAttribute("data-panel") + (group ? " · " + group : "");
      if (group && !groups[":" + group]) {
        groups[":" + group] = document.createElement("optgroup");
        groups[":" + group].label = group;
        select.appendChild(groups[":" + group]);
      }
      (group ? groups[":" + group] : select).appendChild(option);
    });
    var show = function () {
      panels.forEach(function (panel, i) {
        panel.hidden = String(i) !== select.value;
        if (!panel.hidden && "open" in panel) panel.open = true;
      });
    };
    select.addEventListener("change", show);
    var row = document.createElement("p");
    row.className = "choose";
    row.appendChild(label);
    row.appendChild(select);
    box.insertBefore(row, panels[0]);
    box.classList.add("chosen");
    show();
  });

  // Print what is folded away, and fold it again afterwards.
  var opened = [];
  window.addEventListener("beforeprint", function () {
    opened = all("details").filter(function (each) { return !each.open; });
    opened.forEach(function (each) { each.open = true; });
  });
  window.addEventListener("afterprint", function () {
    opened.forEach(function (each) { each.open = false; });
    opened = [];
  });

  window.hinterland = {
    all: all,
    // What the page was given as data, or null.
    data: function (id) {
      var found = document.getElementById(id);
      return found ? JSON.parse(found.textContent) : null;
    },
    // Sort a table again after its cells have changed.
    resort: function (table) {
      heads(table).forEach(function (head, column) {
        var was = head.getAttribute("aria-sort");
        if (was) sort(table, column, was === "descending");
      });
    }
  };
})();
