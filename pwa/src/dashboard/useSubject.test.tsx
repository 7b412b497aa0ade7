import { act, cleanup, renderHook } from "@testing-library/react";
import { afterEach, expect, it, vi } from "vitest";
import { useSubject } from "./useSubject";

afterEach(() => {
  cleanup();
  vi.restoreAllMocks();
  history.replaceState(null, "", "/");
});

it("a second tap on close, before the first has taken effect, does not leave the page", () => {
  const back = vi.spyOn(history, "back").mockImplementation(() => {});
  const { result } = renderHook(() => useSubject());
  act(() => result.current.open({ noun: "devis", id: "d-41" }));
  expect(result.current.subject).toEqual({ noun: "devis", id: "d-41" });
  act(() => result.current.close());
  act(() => result.current.close());
  expect(result.current.subject).toBeUndefined();
  expect(back).toHaveBeenCalledTimes(1);
});
