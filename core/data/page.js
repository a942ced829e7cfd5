// Sortable tables. Without this script the tables are complete, in their given order.
document.querySelectorAll("table[data-sortable]").forEach(function (table) {
  var heads = Array.prototype.slice.call(table.tHead.rows[0].cells), body = table.tBodies[0];
  heads.forEach(function (head, column) {
    var button = document.createElement("button");
    button.type = "button";
    while (head.firstChild) button.appendChild(head.firstChild);
    head.appendChild(button);
    button.addEventListener("click", function () {
      var numeric = head.classList.contains("n");
      var was = head.getAttribute("aria-sort");
      var down = was ? was === "ascending" : numeric;
      heads.forEach(function (other) { other.removeAttribute("aria-sort"); });
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      var key = function (row) {
        var cell = row.cells[column], given = cell.getAttribute("data-sort");
        return given === null ? cell.textContent.trim() : given;
      };
      Array.prototype.slice.call(body.rows).sort(function (a, b) {
        var x = key(a), y = key(b), order;
        if (numeric) {
          x = parseFloat(x); y = parseFloat(y);
          if (isNaN(x) || isNaN(y)) return isNaN(x) - isNaN(y);
          order = x - y;
        } else order = x.localeCompare(y);
        return down ? -order : order;
      }).forEach(function (row) { body.appendChild(row); });
    });
  });
});
