/** Takes a stream of Server-Sent Events apart: text in any pieces, the `data` of each complete event out. */
export function eventParser(): (text: string) => string[] {
  let rest = "";
  let data: string[] = [];
  return (text) => {
    const found: string[] = [];
    const lines = (rest + text).split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop() ?? "";
    for (const line of lines) {
      if (line === "" && data.length > 0) {
        found.push(data.join("\n"));
        data = [];
      } else if (line.startsWith("data:")) {
        data.push(line.slice(line[5] === " " ? 6 : 5));
      }
    }
    return found;
  };
}
