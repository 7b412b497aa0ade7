import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";
import { VitePWA } from "vite-plugin-pwa";

/** What the gateway and the host application answer; never from the service worker. */
const SERVED = [/^\/v1(\/|$)/, /^\/auth(\/|$)/, /^\/demo(\/|$)/];

/** Where `npm run dev` finds them. */
const gateway = process.env.GATEWAY_URL ?? "http://127.0.0.1:8080";
const host = process.env.HOST_URL ?? gateway;

export default defineConfig({
  plugins: [
    react(),
    VitePWA({
      registerType: "prompt",
      injectRegister: false,
      // They are in globPatterns already.
      includeManifestIcons: false,
      manifest: {
        id: "/",
        start_url: "/",
        scope: "/",
        name: "Ma journée",
        short_name: "Ma journée",
        description: "L’activité de votre entreprise, en direct.",
        lang: "fr",
        dir: "ltr",
        display: "standalone",
        background_color: "#f3f5f4",
        theme_color: "#0b6b63",
        categories: ["business", "productivity"],
        icons: [
          { src: "/icon-192.png", sizes: "192x192", type: "image/png" },
          { src: "/icon-512.png", sizes: "512x512", type: "image/png" },
          { src: "/icon-maskable-512.png", sizes: "512x512", type: "image/png", purpose: "maskable" },
        ],
      },
      workbox: {
        globPatterns: ["**/*.{html,js,css,svg,png,woff2}"],
        navigateFallback: "index.html",
        navigateFallbackDenylist: SERVED,
        cleanupOutdatedCaches: true,
      },
    }),
  ],
  server: {
    proxy: {
      "/v1": { target: gateway, ws: true },
      "/auth": { target: host },
      "/demo": { target: host },
    },
  },
});
