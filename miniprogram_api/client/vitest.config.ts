import { defineConfig } from "vitest/config";

export default defineConfig({ test: { include: ["tests/**/*.test.{ts,mjs}"], pool: "threads", maxWorkers: 1 }, define: { PLATFORM_ADDRESS: '"http://platform.test"' } });
