// Gaussians on the line, computed and drawn from.

/** The logarithm of a Gaussian's density: exact far out, where the density itself is 0. */
export function logNormal(x, { mu, sigma }) {
  return -0.5 * ((x - mu) / sigma) ** 2 - Math.log(sigma) - 0.5 * Math.log(2 * Math.PI);
}

/** KL(p‖q) in nats, by the closed form; rounding may not make it negative. */
export function klNormal(p, q) {
  const square = p.sigma ** 2 + (p.mu - q.mu) ** 2;
  return Math.max(0, Math.log(q.sigma / p.sigma) + square / (2 * q.sigma ** 2) - 0.5);
}

/** A standard normal number (Box and Muller 1958). */
export const drawNormal = () => Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());
