import { QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./app/App";
import { persistence, queryClient, startApplication } from "./app/application";
import { startServiceWorker } from "./app/serviceWorker";
import { startTheme } from "./app/theme";
import { Crash } from "./components/Crash";
import "./styles/index.css";

startTheme();
startApplication();
startServiceWorker();

const root = document.getElementById("root");
if (!root) throw new Error("index.html has no #root");
createRoot(root).render(
  <StrictMode>
    <Crash onCrash={() => void persistence.forget()}>
      <QueryClientProvider client={queryClient}>
        <App />
      </QueryClientProvider>
    </Crash>
  </StrictMode>,
);
