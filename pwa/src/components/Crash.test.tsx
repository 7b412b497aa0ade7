import { cleanup, render, screen } from "@testing-library/react";
import { afterEach, expect, it, vi } from "vitest";
import { Crash } from "./Crash";

afterEach(() => {
  cleanup();
  vi.restoreAllMocks();
});

it("offers to start again, and has what is kept forgotten: it may be what cannot be drawn", () => {
  vi.spyOn(console, "error").mockImplementation(() => {});
  const onCrash = vi.fn();
  const Broken = () => {
    throw new Error("cannot be drawn");
  };
  render(
    <Crash onCrash={onCrash}>
      <Broken />
    </Crash>,
  );
  expect(screen.getByRole("alert").textContent).toContain("Un problème est survenu.");
  expect(screen.getByRole("button", { name: "Recharger" })).toBeTruthy();
  expect(onCrash).toHaveBeenCalledOnce();
});
