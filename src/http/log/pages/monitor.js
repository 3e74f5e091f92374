(function () {
'use strict';
var KEEP = 180, EVERY = 1000, NS = 'http://www.w3.org/2000/svg', W = 1000, H = 100;
var points = [], last = null, timer = 0, failures = 0;

function el(tag, cls, text) {
  var e = document.createElement(tag);
  if (cls) e.className = cls;
  if (text !== undefined) e.textContent = text;
  return e;
}
function svg(tag, cls) {
  var e = document.createElementNS(NS, tag);
  if (cls) e.setAttribute('class', cls);
  return e;
}
function at(o, path) { return path.split('.').reduce(function (v, k) { return v[k]; }, o); }

/* ---- numbers for people ---- */

function scaled(v, step, units) {
  var u = 0;
  while (v >= 999.5 && u + 1 < units.length) { v /= step; u++; }
  return (v < 9.95 && (u > 0 || v % 1 !== 0) ? v.toFixed(1) : Math.round(v)) + units[u];
}
function count(v) { return scaled(v, 1000, ['', 'k', 'M', 'G', 'T']); }
function rate(v) { return v > 0 && v < 0.1 ? '<0.1' : count(v); }
function bytes(v) { return scaled(v, 1024, [' B', ' KiB', ' MiB', ' GiB', ' TiB', ' PiB']); }
function msec(v) { return v < 9.95 ? v.toFixed(1) + ' ms' : v < 999.5 ? Math.round(v) + ' ms' : (v / 1000).toFixed(1) + ' s'; }
function span(s) {
  var d = Math.floor(s / 86400), h = Math.floor(s / 3600) % 24, m = Math.floor(s / 60) % 60;
  return d ? d + ' d ' + h + ' h' : h ? h + ' h ' + m + ' min' : m ? m + ' min ' + Math.floor(s % 60) + ' s' : Math.floor(s) + ' s';
}

/* ---- plots: [label, path in the JSON]; `now`: the value itself, otherwise how fast it grows ---- */

var plots = [
  {title: 'Responses per second', show: rate, lines: [['2xx', 'http.responses.2xx'], ['3xx', 'http.responses.3xx'],
    ['other', 'http.responses.1xx', 'http.responses.none'], ['4xx', 'http.responses.4xx'], ['5xx', 'http.responses.5xx']], colors: [1, 0, 5, 3, 4]},
  {title: 'Bytes per second by method', show: bytes, lines: [['memory', 'io.memory.bytes'], ['sendfile', 'io.sendfile.bytes'],
    ['direct', 'io.direct.bytes'], ['buffered', 'io.buffered.bytes'], ['mmap', 'io.mmap.bytes'], ['no file', 'io.none.bytes']], colors: [0, 1, 2, 3, 4, 5]},
  {title: 'Connections', show: count, now: true, lines: [['writing', 'connections.writing'], ['reading', 'connections.reading'],
    ['waiting', 'connections.waiting']], colors: [1, 3, 5]},
  {title: 'Disk waits per second', show: rate, lines: [['responses that waited', 'disk.waits']], colors: [2],
    note: function (p) {
      return (p['disk.waits'] > 0 ? 'mean ' + msec(p['disk.wait_seconds'] / p['disk.waits'] * 1000) + ', ' : '') +
        bytes(p.raw['direct.buffers_bytes']) + ' of buffers';
    }},
  {title: 'File cache lookups per second', show: rate, lines: [['hits', 'file_cache.hits', 'small_file_cache.hits'],
    ['misses', 'file_cache.misses', 'small_file_cache.misses']], colors: [1, 3],
    note: function (p) { return share(p); }},
  {title: 'Trouble per second', show: rate, lines: [['log lines dropped', 'log.dropped_lines'], ['responses cut', 'http.cut'],
    ['read errors', 'disk.read_errors'], ['O_DIRECT fallbacks', 'direct.fallbacks']], colors: [4, 3, 2, 5]}
];

function share(p) {
  var hits = p['file_cache.hits'] + p['small_file_cache.hits'];
  var all = hits + p['file_cache.misses'] + p['small_file_cache.misses'];
  return all > 0 ? (100 * hits / all).toFixed(1) + ' % hits' : 'no lookups';
}
function value(plot, line, p) {
  var sum = 0;
  for (var i = 1; i < line.length; i++) sum += plot.now ? p.raw[line[i]] : p[line[i]];
  return sum;
}

/* A round number at or above v. */
function ceiling(v, step) {
  var base = 1;
  if (v <= 0) return 1;
  while (base * step <= v) base *= step;
  while (base > v && step === 10) base /= 10;
  return [1, 2, 4, 5, 8, 10, 16, 32, 64, 128, 256, 512, 1024].map(function (f) { return f * base; })
    .filter(function (c) { return c >= v; })[0] || base * step;
}

function build(plot) {
  var card = el('section', 'card'), top = el('div', 'top'), box = el('div', 'plot');
  plot.sum = el('span');
  top.append(el('h2', '', plot.title), plot.sum);
  var s = svg('svg');
  s.setAttribute('viewBox', '0 0 ' + W + ' ' + H);
  s.setAttribute('preserveAspectRatio', 'none');
  s.setAttribute('role', 'img');
  s.setAttribute('aria-label', plot.title);
  [0, 50, 100].forEach(function (y) {
    var g = svg('line', 'grid');
    g.setAttribute('x1', 0); g.setAttribute('x2', W); g.setAttribute('y1', y); g.setAttribute('y2', y);
    s.append(g);
  });
  plot.parts = plot.lines.map(function (line, i) {
    var part = {area: svg('path', 'area c' + plot.colors[i]), edge: svg('path', 'edge c' + plot.colors[i])};
    s.append(part.area, part.edge);
    return part;
  });
  plot.cursor = svg('line', 'cursor');
  plot.cursor.setAttribute('y1', 0); plot.cursor.setAttribute('y2', H);
  s.append(plot.cursor);
  plot.high = el('i'); plot.middle = el('i');
  plot.high.style.top = '0'; plot.middle.style.top = '50%';
  box.append(s, plot.high, plot.middle);
  var legend = el('ul', 'legend');
  plot.marks = plot.lines.map(function (line, i) {
    var li = el('li', 'c' + plot.colors[i]), b = el('b');
    li.append(el('span', '', line[0] + ' '), b);
    legend.append(li);
    return b;
  });
  card.append(top, box, legend);
  document.getElementById('plots').append(card);
  box.addEventListener('pointermove', function (e) {
    var r = box.getBoundingClientRect();
    plot.hover = Math.round(KEEP - 1 - (1 - (e.clientX - r.left) / r.width) * (KEEP - 1)) - (KEEP - points.length);
    draw(plot);
  });
  box.addEventListener('pointerleave', function () { plot.hover = undefined; draw(plot); });
}

function draw(plot) {
  var n = points.length;
  if (!n) return;
  var stacked = points.map(function (p) {
    var sum = 0;
    return plot.lines.map(function (line) { return sum += value(plot, line, p); });
  });
  var most = ceiling(Math.max.apply(null, stacked.map(function (s) { return s[s.length - 1]; })), plot.show === bytes ? 1024 : 10);
  function x(i) { return ((KEEP - n + i) * W / (KEEP - 1)).toFixed(1); }
  function y(v) { return (H - v / most * H).toFixed(2); }
  plot.parts.forEach(function (part, k) {
    var up = stacked.map(function (s, i) { return x(i) + ' ' + y(s[k]); });
    var down = stacked.map(function (s, i) { return x(i) + ' ' + y(k ? s[k - 1] : 0); }).reverse();
    var empty = stacked.every(function (s) { return s[k] === (k ? s[k - 1] : 0); });
    part.area.setAttribute('d', empty ? '' : 'M' + up.concat(down).join('L') + 'Z');
    part.edge.setAttribute('d', empty ? '' : 'M' + up.join('L'));
  });
  plot.high.textContent = plot.show(most);
  plot.middle.textContent = plot.show(most / 2);
  var hovers = plot.hover !== undefined && plot.hover >= 0 && plot.hover < n, i = hovers ? plot.hover : n - 1, p = points[i];
  plot.cursor.setAttribute('x1', x(i)); plot.cursor.setAttribute('x2', x(i));
  plot.cursor.setAttribute('visibility', hovers ? 'visible' : 'hidden');
  plot.lines.forEach(function (line, k) { plot.marks[k].textContent = plot.show(value(plot, line, p)); });
  plot.sum.textContent = (hovers ? Math.round(last.now - p.now) + ' s ago' : '') +
    (plot.note && !hovers ? plot.note(p) : !plot.note && !hovers ? 'total ' + plot.show(stacked[n - 1][plot.lines.length - 1]) : '');
}

/* ---- tiles ---- */

var tiles = [
  ['Requests', function (p) { return rate(p['http.requests']) + '/s'; }, function (s) { return count(s.http.requests) + ' in all'; }],
  ['Sent', function (p) { return bytes(p['http.sent_bytes']) + '/s'; }, function (s) { return bytes(s.http.sent_bytes) + ' in all'; }],
  ['Connections', function (p, s) { return count(s.connections.active); }, function (s) { return count(s.connections.accepted) + ' accepted'; }],
  ['File cache', function (p, s) { return hits(s.file_cache); },
    function (s) { return count(s.file_cache.entries) + ' entries, ' + bytes(s.file_cache.content_bytes); }],
  ['small_file_cache', function (p, s) { return hits(s.small_file_cache); },
    function (s) { return count(s.small_file_cache.entries) + ' entries, ' + bytes(s.small_file_cache.bytes); }],
  ['gzip_cache', function (p, s) { return hits(s.gzip_cache); },
    function (s) { return count(s.gzip_cache.entries) + ' entries, ' + bytes(s.gzip_cache.bytes); }],
  ['Disk wait, mean', function (p, s) { return s.disk.waits ? msec(s.disk.wait_seconds / s.disk.waits * 1000) : '-'; },
    function (s) { return count(s.disk.waits) + ' responses waited'; }],
  ['First certificate ends', function (p, s) { var e = first_end(s); return e ? span(Math.max(0, e - s.now)) : '-'; },
    function (s) { return count(Object.keys(s.tls.certificates).length) + ' names'; },
    function (s) { var e = first_end(s); return e > 0 && e - s.now < 14 * 86400; }],
  ['Trouble', function (p, s) { return count(trouble(s)); }, function (s) { return count(s.log.dropped_lines) + ' lines dropped, ' + count(s.http.cut) + ' cut'; },
    function (s) { return trouble(s) > 0; }]
];
function hits(cache) {
  var all = cache.hits + cache.misses;
  return all ? (100 * cache.hits / all).toFixed(1) + ' %' : '-';
}
function first_end(s) {
  return Object.keys(s.tls.certificates).reduce(function (e, k) {
    var v = s.tls.certificates[k];
    return e && e < v ? e : v;
  }, 0);
}
function trouble(s) { return s.log.dropped_lines + s.http.cut + s.disk.read_errors; }

function build_tile(t) {
  var e = el('div', 'card tile');
  t.card = e; t.value = el('b', '', '-'); t.small = el('small');
  e.append(el('span', '', t[0]), t.value, t.small);
  document.getElementById('tiles').append(e);
}

function list_totals() {
  var to = document.getElementById('totals');
  to.textContent = '';
  (function walk(o, path) {
    Object.keys(o).forEach(function (k) {
      var v = o[k], name = path ? path + ' ' + k : k;
      if (v !== null && typeof v === 'object') return walk(v, name);
      if (name === 'now') return;
      if (name === 'started' || path === 'tls certificates') v = new Date(v * 1000).toLocaleString();
      var dl = el('dl');
      dl.append(el('dt', '', name.replace(/_/g, ' ')), el('dd', '', typeof v === 'number' ? v.toLocaleString('en') : v));
      to.append(dl);
    });
  })(last, '');
}

/* ---- time goes on ---- */

function flatten(o, path, to) {
  Object.keys(o).forEach(function (k) {
    var name = path ? path + '.' + k : k;
    if (o[k] !== null && typeof o[k] === 'object') flatten(o[k], name, to);
    else if (typeof o[k] === 'number') to[name] = o[k];
  });
  return to;
}

function take(s) {
  var raw = flatten(s, '', {}), before = last && flatten(last, '', {}), seconds = last ? s.now - last.now : 0;
  if (last && s.started !== last.started) { points = []; before = null; }
  last = s;
  if (before && seconds > 0) {
    var p = {raw: raw, now: s.now};
    Object.keys(raw).forEach(function (k) { p[k] = Math.max(0, (raw[k] - before[k]) / seconds); });
    points.push(p);
    if (points.length > KEEP) points.shift();
  }
  document.getElementById('facts').textContent = s.version + ', up ' + span(s.now - s.started) + ', ' + s.workers +
    (s.workers === 1 ? ' worker' : ' workers');
  document.title = 'sluice on ' + location.host;
  var now = points[points.length - 1];
  tiles.forEach(function (t) {
    t.value.textContent = now || t[1].length > 1 ? t[1](now, s) : '-';
    t.small.textContent = t[2](s);
    t.card.classList.toggle('bad', !!(t[3] && t[3](s)));
  });
  plots.forEach(draw);
  if (document.getElementById('all').open) list_totals();
}

function say(text, cls) {
  var live = document.getElementById('live');
  live.textContent = text;
  live.className = cls;
}

function ask() {
  clearTimeout(timer);
  if (document.hidden) return;
  fetch(location.pathname + '?format=json', {cache: 'no-store', credentials: 'same-origin'}).then(function (r) {
    if (!r.ok) throw new Error('status ' + r.status);
    return r.json();
  }).then(function (s) {
    failures = 0;
    take(s);
    say('live', 'on');
  }).catch(function (e) {
    failures++;
    say('no answer (' + e.message + ')', 'off');
  }).then(function () { timer = setTimeout(ask, EVERY * Math.min(1 + failures, 10)); });
}

tiles.forEach(build_tile);
plots.forEach(build);
document.getElementById('all').addEventListener('toggle', list_totals);
document.addEventListener('visibilitychange', ask);
take(JSON.parse(document.getElementById('first').textContent));
timer = setTimeout(ask, EVERY);
})();
