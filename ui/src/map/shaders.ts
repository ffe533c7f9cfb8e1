// How a track looks. Sea and air differ in shape and in colour; what is still has no direction.
// Distances to a shape's edge are signed, inside negative; +y is forward.

const COLOURS = `
uniform vec3 u_sea, u_air, u_distress, u_ground;
`;

export const MARKS_VERTEX = `#version 300 es
precision highp float;
layout(location = 0) in vec2 a_at;
layout(location = 1) in float a_course;
layout(location = 2) in float a_age;
layout(location = 3) in float a_domain;
layout(location = 4) in float a_flags;
uniform mat4 u_matrix;
uniform float u_size;
uniform vec2 u_shown;
out vec2 v_turn;
out float v_seen;
out float v_scale;
flat out int v_shape;
flat out int v_flags;
const int DOT = 0, HULL = 1, WING = 2, SQUARE = 3;
void main() {
  bool air = a_domain > 1.5;
  v_flags = int(a_flags + 0.5);
  bool moving = a_course > -5.0;
  v_shape = air ? (moving ? WING : SQUARE) : (moving ? HULL : DOT);
  v_turn = moving ? vec2(cos(a_course), sin(a_course)) : vec2(1.0, 0.0);
  // ships report every few seconds to minutes, aircraft every second: they grow old at other rates
  v_seen = 1.0 - 0.72 * (air ? smoothstep(15.0, 150.0, a_age) : smoothstep(180.0, 1800.0, a_age));
  bool ring = (v_flags & 2) != 0;
  float shape = air ? 1.15 : (moving ? 1.0 : 0.62);
  bool theirs = (v_flags & 16) != 0;
  v_scale = ring ? 2.4 / shape : theirs ? 2.0 / shape : 1.25;
  gl_PointSize = u_size * shape * v_scale;
  gl_Position = u_matrix * vec4(a_at, 0.0, 1.0);
  if ((air ? u_shown.y : u_shown.x) < 0.5 && !ring) gl_Position = vec4(2.0, 2.0, 2.0, 1.0);
}`;

export const MARKS_FRAGMENT = `#version 300 es
precision highp float;
in vec2 v_turn;
in float v_seen;
in float v_scale;
flat in int v_shape;
flat in int v_flags;
out vec4 colour;
${COLOURS}
float box(vec2 p, vec2 half_size) {
  vec2 d = abs(p) - half_size;
  return max(d.x, d.y);
}
float hull(vec2 p) {
  p.x = abs(p.x);
  float side = dot(p - vec2(0.0, 1.0), vec2(0.956, 0.292));
  float stern = dot(p - vec2(0.0, -0.5), vec2(-0.5, -0.866));
  return max(side, stern);
}
float swept(vec2 p, float span, float root) {
  p.x = abs(p.x);
  float lead = dot(p - vec2(0.0, root), vec2(0.55, 0.835));
  float trail = dot(p - vec2(0.0, root - 0.42), vec2(-0.35, -0.937));
  return max(max(lead, trail), p.x - span);
}
float wing(vec2 p) {
  float body = box(p - vec2(0.0, 0.02), vec2(0.13, 0.92));
  return min(body, min(swept(p, 0.95, 0.42), swept(p - vec2(0.0, -0.78), 0.42, 0.3)));
}
void main() {
  vec2 q = (gl_PointCoord * 2.0 - 1.0) * v_scale;
  q.y = -q.y;
  vec2 p = vec2(q.x * v_turn.x - q.y * v_turn.y, q.x * v_turn.y + q.y * v_turn.x);
  float d = v_shape == 1 ? hull(p) : v_shape == 2 ? wing(p) : v_shape == 3 ? box(p, vec2(0.5)) : length(p) - 0.75;
  float soft = fwidth(q.x) * 0.9;
  bool distress = (v_flags & 2) != 0;
  bool doubtful = (v_flags & 4) != 0;
  bool air = v_shape >= 2;
  vec3 base = distress ? u_distress : air ? u_air : u_sea;
  float fill = 1.0 - smoothstep(-soft, soft, d);
  float halo = 1.0 - smoothstep(0.06, 0.06 + soft * 2.0, d);
  bool theirs = (v_flags & 16) != 0;
  // what is not plausible is drawn hollow
  float core = doubtful ? smoothstep(-0.30 - soft, -0.30 + soft, d) : 1.0;
  float ink = fill * core * v_seen;
  float dark = max(halo, fill) * 0.75 * v_seen;
  if (distress) {
    float ring = abs(length(q) - 1.95) - 0.13;
    ink = max(ink, 1.0 - smoothstep(-soft, soft, ring));
  }
  if (theirs) { // a broken ring around a partner's track
    float ring = abs(length(q) - 1.5) - 0.12;
    float dash = step(0.4, fract(atan(q.y, q.x) * 6.0 / 6.2832));
    ink = max(ink, (1.0 - smoothstep(-soft, soft, ring)) * dash * v_seen);
  }
  float alpha = max(ink, dark);
  if (alpha < 0.01) discard;
  colour = vec4(mix(u_ground, base, ink / alpha) * alpha, alpha);
}`;

// A symbol stands upright: which way its craft goes, its vector tells. Age, doubt, distress and whose it is are told
// as those of marks are.
export const SYMBOLS_VERTEX = `#version 300 es
precision highp float;
layout(location = 0) in vec2 a_at;
layout(location = 2) in float a_age;
layout(location = 3) in float a_domain;
layout(location = 4) in float a_flags;
layout(location = 5) in float a_symbol;
uniform mat4 u_matrix;
uniform float u_size, u_columns;
uniform vec2 u_shown;
out float v_seen;
flat out vec2 v_cell;
flat out int v_flags;
flat out int v_air;
void main() {
  bool air = a_domain > 1.5;
  v_air = air ? 1 : 0;
  v_flags = int(a_flags + 0.5);
  v_seen = 1.0 - 0.72 * (air ? smoothstep(15.0, 150.0, a_age) : smoothstep(180.0, 1800.0, a_age));
  v_cell = vec2(mod(a_symbol, u_columns), floor(a_symbol / u_columns));
  gl_PointSize = u_size;
  gl_Position = u_matrix * vec4(a_at, 0.0, 1.0);
  if ((air ? u_shown.y : u_shown.x) < 0.5 && (v_flags & 2) == 0) gl_Position = vec4(2.0, 2.0, 2.0, 1.0);
}`;

export const SYMBOLS_FRAGMENT = `#version 300 es
precision highp float;
in float v_seen;
flat in vec2 v_cell;
flat in int v_flags;
flat in int v_air;
uniform sampler2D u_atlas;
uniform float u_columns;
out vec4 colour;
${COLOURS}
void main() {
  vec2 q = gl_PointCoord * 2.0 - 1.0;
  float soft = fwidth(q.x);
  // a texel of the next cell must not come in at the edge
  colour = texture(u_atlas, (v_cell + clamp(gl_PointCoord, 0.01, 0.99)) / u_columns) * v_seen;
  bool doubtful = (v_flags & 4) != 0;
  if (doubtful) { // struck through
    colour *= 0.55;
    float strike = 1.0 - smoothstep(0.05, 0.05 + soft, abs(q.x + q.y) * 0.707);
    colour = mix(colour, vec4(v_air == 1 ? u_air : u_sea, 1.0), strike * step(length(q), 0.62) * v_seen);
  }
  float ring = abs(length(q) - 0.74);
  float dash = step(0.4, fract(atan(q.y, q.x) * 8.0 / 6.2832));
  if ((v_flags & 2) != 0) {
    colour = mix(colour, vec4(u_distress, 1.0), 1.0 - smoothstep(0.06, 0.06 + soft, ring));
  } else if ((v_flags & 16) != 0) {
    colour = mix(colour, vec4(v_air == 1 ? u_air : u_sea, 1.0), (1.0 - smoothstep(0.03, 0.03 + soft, ring)) * dash * v_seen);
  }
  if (colour.a < 0.01) discard;
}`;

export const VECTORS_VERTEX = `#version 300 es
precision highp float;
layout(location = 0) in vec2 a_at;
layout(location = 1) in float a_domain;
uniform mat4 u_matrix;
uniform vec2 u_shown;
flat out int v_air;
void main() {
  bool air = a_domain > 1.5;
  v_air = air ? 1 : 0;
  gl_Position = u_matrix * vec4(a_at, 0.0, 1.0);
  if ((air ? u_shown.y : u_shown.x) < 0.5) gl_Position = vec4(2.0, 2.0, 2.0, 1.0);
}`;

export const VECTORS_FRAGMENT = `#version 300 es
precision highp float;
flat in int v_air;
out vec4 colour;
${COLOURS}
void main() {
  colour = vec4((v_air == 1 ? u_air : u_sea) * 0.42, 0.42);
}`;

export const TRAILS_VERTEX = `#version 300 es
precision highp float;
layout(location = 0) in vec2 a_at;
layout(location = 1) in float a_domain;
layout(location = 2) in float a_age;
uniform mat4 u_matrix;
uniform vec2 u_shown;
flat out int v_air;
out float v_seen;
void main() {
  bool air = a_domain > 1.5;
  v_air = air ? 1 : 0;
  v_seen = mix(0.75, 0.08, a_age);
  gl_Position = u_matrix * vec4(a_at, 0.0, 1.0);
  if ((air ? u_shown.y : u_shown.x) < 0.5) gl_Position = vec4(2.0, 2.0, 2.0, 1.0);
}`;

export const TRAILS_FRAGMENT = `#version 300 es
precision highp float;
flat in int v_air;
in float v_seen;
out vec4 colour;
${COLOURS}
void main() {
  colour = vec4((v_air == 1 ? u_air : u_sea) * v_seen, v_seen);
}`;
