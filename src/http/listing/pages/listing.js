(function () {
'use strict';
var d = document, t = d.querySelector('table'), b = t.tBodies[0], rows = [].slice.call(b.rows);
var heads = [].slice.call(t.tHead.rows[0].cells), units = ['KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB'];
var by = new Intl.Collator(undefined, {numeric: true, sensitivity: 'base'});
var when = new Intl.DateTimeFormat(undefined, {dateStyle: 'medium', timeStyle: 'short'});
var count = new Intl.NumberFormat(), digits = [0, 1, 2].map(function (n) {
  return new Intl.NumberFormat(undefined, {minimumFractionDigits: n, maximumFractionDigits: n});
});

function key(row, i) { return i ? +row.cells[i].getAttribute('data-k') : row.cells[0].textContent; }
function rank(row) { return row.className === 'p' ? 0 : row.className === 'g' ? 1 : 2; }

/* Numbers and times as the reader writes them; what the server wrote is the same in English and UTC. */
function size(n) {
  if (n < 1024) return count.format(n) + ' B';
  var u = 0;
  for (n /= 1024; n >= 999.5 && u + 1 < units.length; u++) n /= 1024;
  return digits[n < 9.95 ? 2 : n < 99.5 ? 1 : 0].format(n) + ' ' + units[u];
}
function translate(row) {
  var s = row.cells[1], k = s.getAttribute('data-k');
  if (k >= 0 && k !== '') {
    s.textContent = s.title ? size(+k) : count.format(k);
    if (s.title) s.title = count.format(k) + ' B';
  }
  s = row.cells[2];
  if ((k = s.getAttribute('data-k'))) s.textContent = when.format(k * 1000);
}
(function some(at) {
  for (var end = Math.min(at + 1000, rows.length); at < end; at++) translate(rows[at]);
  if (at < rows.length) setTimeout(some, 0, at);
})(0);
d.querySelector('footer i').textContent = '';

function sort(i, way) {
  rows.sort(function (x, y) {
    return rank(x) - rank(y) || (i ? key(x, i) - key(y, i) : by.compare(key(x, i), key(y, i))) * way;
  });
  var f = d.createDocumentFragment();
  rows.forEach(function (row) { f.appendChild(row); });
  b.appendChild(f);
}
heads.forEach(function (head, i) {
  var u = d.createElement('button');
  u.textContent = head.textContent;
  head.textContent = '';
  head.appendChild(u);
  u.onclick = function () {
    var down = head.getAttribute('aria-sort') === 'ascending';
    heads.forEach(function (other) { other.removeAttribute('aria-sort'); });
    head.setAttribute('aria-sort', down ? 'descending' : 'ascending');
    sort(i, down ? -1 : 1);
  };
});
if (rows.length < 5000) sort(0, 1);

var q = d.createElement('input'), said = d.createElement('output');
q.type = 'search';
q.placeholder = 'Search, or press /';
q.setAttribute('aria-label', 'Search by name');
q.setAttribute('aria-keyshortcuts', '/');
q.oninput = function () {
  var words = q.value.toLowerCase().split(/\s+/), shown = 0;
  rows.forEach(function (row) {
    var name = row.cells[0].textContent.toLowerCase();
    row.hidden = rank(row) > 0 && !words.every(function (w) { return name.indexOf(w) >= 0; });
    shown += rank(row) > 0 && !row.hidden;
  });
  said.textContent = q.value ? shown + ' found' : '';
};
d.querySelector('header').appendChild(q);
d.querySelector('header').appendChild(said);

/* / and Escape: into the search box and out of it; up and down: from name to name. */
function step(way) {
  var links = [].filter.call(b.querySelectorAll('a'), function (a) { return !a.closest('tr').hidden; });
  var at = links.indexOf(d.activeElement);
  var next = links[at < 0 ? (way > 0 ? 0 : links.length - 1) : at + way];
  if (next) next.focus(); else if (way < 0) q.focus();
}
d.addEventListener('keydown', function (e) {
  var free = d.activeElement !== q;
  if (e.ctrlKey || e.altKey || e.metaKey || e.isComposing) return;
  if (e.key === '/' && free) q.focus();
  else if (e.key === 'Escape' && !free) { q.value = ''; q.oninput(); q.blur(); }
  else if (e.key === 'ArrowDown') step(1);
  else if (e.key === 'ArrowUp' && free) step(-1);
  else return;
  e.preventDefault();
});
})();
