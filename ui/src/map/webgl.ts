// What our own layers of the map share: programs, arrays of vertices, and the square that the map is.

// The square that the map is drawn in: 0 to 1 from west to east and from north to south.
export const mercatorX = (lon: number) => lon / 360 + 0.5;

export function mercatorY(lat: number): number {
  const sine = Math.sin((Math.max(-85, Math.min(85, lat)) * Math.PI) / 180);
  return 0.5 - Math.log((1 + sine) / (1 - sine)) / (4 * Math.PI);
}

export interface Program {
  handle: WebGLProgram;
  at: (name: string) => WebGLUniformLocation | null;
}

export function compile(gl: WebGL2RenderingContext, vertex: string, fragment: string): Program {
  const handle = gl.createProgram();
  for (const [kind, source] of [[gl.VERTEX_SHADER, vertex], [gl.FRAGMENT_SHADER, fragment]] as const) {
    const shader = gl.createShader(kind)!;
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(handle, shader);
  }
  gl.linkProgram(handle);
  if (!gl.getProgramParameter(handle, gl.LINK_STATUS)) {
    throw new Error(`shader: ${gl.getProgramInfoLog(handle)}`);
  }
  return { handle, at: (name) => gl.getUniformLocation(handle, name) };
}

export function layout(
  gl: WebGL2RenderingContext,
  buffer: WebGLBuffer | null,
  sizes: number[],
): WebGLVertexArrayObject {
  const array = gl.createVertexArray();
  gl.bindVertexArray(array);
  gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
  const stride = sizes.reduce((sum, size) => sum + size, 0) * 4;
  let offset = 0;
  sizes.forEach((size, place) => {
    gl.enableVertexAttribArray(place);
    gl.vertexAttribPointer(place, size, gl.FLOAT, false, stride, offset);
    offset += size * 4;
  });
  gl.bindVertexArray(null);
  return array;
}

/** `matrix` applied after a shift to `origin`. */
export function moved(matrix: ArrayLike<number>, [x, y]: [number, number]): Float32Array {
  const out = Float32Array.from(matrix);
  for (let row = 0; row < 4; row++) {
    out[12 + row] = matrix[row]! * x + matrix[4 + row]! * y + matrix[12 + row]!;
  }
  return out;
}
