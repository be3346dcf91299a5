// Made once for each thing that is sent, and sent again with it: the platform then knows it for the same.

const LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789";

export function nonce(length = 24): string {
  return Array.from({ length }, () => LETTERS[Math.floor(Math.random() * LETTERS.length)]).join("");
}
