/** The texts of the language in use. A second language is chosen here. */
import { fr, type Texts } from "./fr";

export type { Texts } from "./fr";
export const t: Texts = fr;
