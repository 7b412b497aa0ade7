/**
 * Every text of the application, in French. A second language is a second object of the type {@link Texts}.
 * `\u00a0` and `\u202f` are the no-break spaces that French wants inside guillemets and before double punctuation.
 */
import type { ByNoun } from "../dashboard/events";
import type { EventDataByType, EventType } from "../realtime";
import { createNumbers, dayKey } from "./format";

const locale = "fr-FR";
const { number, euros } = createNumbers(locale);
const weekdays = new Intl.DateTimeFormat(locale, { weekday: "long" });
const months = new Intl.DateTimeFormat(locale, { month: "long" });

const quote = (text: string) => `«\u00a0${text}\u00a0»`;
const count = (n: number, one: string, many: string) => `${number(n)}\u00a0${n < 2 ? one : many}`;
const upperFirst = (text: string) => text.charAt(0).toLocaleUpperCase(locale) + text.slice(1);

/** For what should be a moment and is none. */
const UNKNOWN = "?";
const isMoment = (date: Date) => !Number.isNaN(date.getTime());

/** `19 h 12` */
function time(date: Date): string {
  if (!isMoment(date)) return UNKNOWN;
  return `${date.getHours()}\u00a0h\u00a0${String(date.getMinutes()).padStart(2, "0")}`;
}

/** `24 novembre`, `1er décembre` */
function day(date: Date): string {
  if (!isMoment(date)) return UNKNOWN;
  const n = date.getDate();
  return `${n === 1 ? "1er" : n} ${months.format(date)}`;
}

function duration(minutes: number): string {
  const hours = Math.floor(minutes / 60);
  const rest = minutes % 60;
  if (hours === 0) return `${rest}\u00a0min`;
  return rest === 0 ? `${hours}\u00a0h` : `${hours}\u00a0h\u00a0${String(rest).padStart(2, "0")}`;
}

function relative(date: Date, now: Date): string {
  const minutes = Math.round((now.getTime() - date.getTime()) / 60_000);
  if (Number.isNaN(minutes)) return "";
  if (minutes < 1) return "à l’instant";
  if (minutes < 60) return `il y a ${minutes}\u00a0min`;
  if (dayKey(date) === dayKey(now)) return `à ${time(date)}`;
  const yesterday = new Date(now);
  yesterday.setDate(now.getDate() - 1);
  if (dayKey(date) === dayKey(yesterday)) return `hier à ${time(date)}`;
  return `le ${day(date)} à ${time(date)}`;
}

const methods: Record<EventDataByType["facture:paid"]["method"], string> = {
  transfer: "virement",
  card: "carte",
  cheque: "chèque",
  cash: "espèces",
  directDebit: "prélèvement",
};

const channels: Record<EventDataByType["message:received"]["channel"], string> = {
  app: "l’application",
  email: "e-mail",
  sms: "SMS",
  phone: "téléphone",
};

/** What happened, in a sentence without its amount. */
const headline: { [T in EventType]: (data: EventDataByType[T]) => string } = {
  "devis:created": (d) => `Devis ${d.number} établi pour ${d.clientName}`,
  "devis:signed": (d) => `Devis ${d.number} signé par ${d.clientName}`,
  "devis:rejected": (d) => `Devis ${d.number} refusé par ${d.clientName}`,
  "facture:created": (d) => `Facture ${d.number} émise pour ${d.clientName}`,
  "facture:paid": (d) => `Facture ${d.number} payée par ${d.clientName}`,
  "intervention:started": (d) => `Intervention commencée chez ${d.clientName}`,
  "intervention:completed": (d) => `Intervention terminée chez ${d.clientName}`,
  "client:created": (d) => `Nouveau client\u00a0: ${d.clientName}`,
  "message:received": (d) => `Message de ${d.clientName}`,
};

/** What else is worth a second line. */
const detail: { [T in EventType]: (data: EventDataByType[T]) => string } = {
  "devis:created": (d) => d.title,
  "devis:signed": (d) => (d.signedBy === d.clientName ? "" : `Signé par ${d.signedBy}`),
  "devis:rejected": (d) => quote(d.reason),
  "facture:created": (d) => `À régler au plus tard le ${day(new Date(`${d.dueOn}T12:00`))}`,
  "facture:paid": (d) => `Par ${methods[d.method] ?? d.method}`,
  "intervention:started": (d) => `${d.title}, ${d.technicianName}`,
  "intervention:completed": (d) => `${d.title}, ${d.technicianName}, ${duration(d.durationMinutes)}`,
  "client:created": (d) => d.city,
  "message:received": (d) => quote(d.preview),
};

export const fr = {
  locale,
  number,
  euros,
  upperFirst,
  time,
  day,
  duration,
  relative,
  methods,
  channels,
  quote,
  /** `mardi 24 novembre` */
  today: (date: Date) => (isMoment(date) ? `${weekdays.format(date)} ${day(date)}` : UNKNOWN),
  moment: (date: Date) => `${day(date)} à ${time(date)}`,

  app: {
    name: "Ma journée",
    skip: "Aller à l’activité",
    signOut: "Se déconnecter",
    theme: {
      system: "Thème\u00a0: celui de l’appareil",
      light: "Thème\u00a0: clair",
      dark: "Thème\u00a0: sombre",
    },
    starting: "Ouverture…",
    crashed: "Un problème est survenu.",
    reload: "Recharger",
    newVersion: "Nouvelle version",
    notifications: "Notifications",
    close: "Fermer",
    see: "Voir",
    signOutLater: "Déconnecté ici. La session sera fermée sur le serveur dès que le réseau reviendra.",
  },

  signIn: {
    title: "Votre entreprise, en direct",
    lead: "Devis, factures, interventions et messages, au moment où ils arrivent.",
    button: "Se connecter",
    busy: "Connexion…",
    failed: "La connexion n’a pas abouti. Vérifiez le réseau et réessayez.",
    refused: "Connexion refusée.",
    unreachable: "Le serveur ne répond pas. Vérifiez le réseau et réessayez.",
    retry: "Réessayer",
    reasons: {
      expired: "Votre session a expiré. Reconnectez-vous pour continuer.",
      revoked: "Votre accès a été retiré. Adressez-vous à la personne qui gère les comptes.",
      "signed-out": "La session est fermée.",
    },
  },

  connection: {
    live: "En direct",
    degraded: "Données en retard",
    polling: "Mode secours",
    connecting: "Connexion…",
    offline: "Hors ligne",
    "signed-out": "Déconnecté",
    reconnecting: "Reconnexion…",
    reconnectingIn: (seconds: number) =>
      seconds < 60
        ? `Reconnexion dans ${seconds}\u00a0s`
        : `Reconnexion dans ${Math.round(seconds / 60)}\u00a0min`,
    spoken: {
      live: "Connexion établie\u00a0: en direct",
      degraded: "Les données arrivent en retard",
      polling: "Connexion de secours\u00a0: les données arrivent avec un léger retard",
      connecting: "Connexion en cours",
      offline: "Hors ligne",
      "signed-out": "Déconnecté",
      reconnecting: "Connexion perdue, reconnexion en cours",
    },
    retry: "Réessayer",
    asOf: (date: Date) => `État au ${day(date)} à ${time(date)}`,
  },

  figures: {
    title: "Les chiffres du jour",
    devis: "Devis signés",
    devisCount: (n: number) => (n < 2 ? "devis signé" : "devis signés"),
    factures: "Factures payées",
    running: "Interventions en cours",
    done: "Interventions terminées",
    messages: "Messages reçus",
    unknown: "–",
    clients: (n: number) => `de ${count(n, "client", "clients")}`,
    worked: (minutes: number) => `${duration(minutes)} en tout`,
  },

  chart: {
    title: "L’activité, heure par heure",
    summary: (total: number, busiest: number | undefined) =>
      busiest === undefined
        ? "Rien encore aujourd’hui."
        : `${count(total, "événement", "événements")} aujourd’hui, le plus entre ${busiest} et ${busiest + 1}\u00a0h.`,
    span: (h: number) => `De ${h}\u00a0h à ${h + 1}\u00a0h`,
    columnHour: "Heure",
    columnCount: "Événements",
  },

  feed: {
    title: "L’activité",
    filters: "Filtrer l’activité",
    all: "Tout",
    nouns: {
      devis: "Devis",
      facture: "Factures",
      intervention: "Interventions",
      client: "Clients",
      message: "Messages",
    },
    more: "Afficher plus",
    empty: "Rien pour l’instant. Ce qui arrive s’affiche ici, tout seul.",
    emptyFiltered: "Rien de ce genre pour l’instant.",
    loading: "Chargement…",
    failed: "Les données ne se chargent pas. Nouvel essai dans un instant.",
    outdated: "Mise à jour en cours\u00a0: les chiffres peuvent être incomplets.",
    fresh: "Nouveau",
  },

  event: {
    headline,
    detail,
    bulk: (n: number) => `${number(n)}\u00a0nouveautés pendant votre absence`,
  },

  detail: {
    close: "Fermer",
    history: "Historique",
    facts: "En bref",
    allOf: (client: string) => `Tout sur ${client}`,
    gone: "Cet élément n’est plus dans l’activité récente.",
    titles: {
      devis: (d) => `Devis ${d.number}`,
      facture: (d) => `Facture ${d.number}`,
      intervention: (d) => d.title,
      client: (d) => d.clientName,
      message: (d) => `Message de ${d.clientName}`,
    } satisfies ByNoun,
    status: {
      pending: "En attente",
      signed: "Signé",
      rejected: "Refusé",
      due: "À régler",
      paid: "Payée",
      running: "En cours",
      done: "Terminée",
    },
    labels: {
      client: "Client",
      subject: "Objet",
      amount: "Montant",
      createdBy: "Établi par",
      signedBy: "Signé par",
      reason: "Motif du refus",
      due: "Échéance",
      method: "Règlement",
      address: "Adresse",
      technician: "Technicien",
      duration: "Durée",
      city: "Ville",
      phone: "Téléphone",
      channel: "Reçu par",
      message: "Message",
      signedTotal: "Devis signés",
      paidTotal: "Factures payées",
    },
  },

  demo: {
    title: "Démonstration",
    lead: "Provoquez une panne et regardez la page s’en remettre.",
    cut: "Couper le réseau",
    restore: "Rétablir le réseau",
    restart: "Redémarrer la passerelle",
    restarting: "La passerelle redémarre…",
    tab: "Ouvrir un second onglet",
    network: { up: "Réseau\u00a0: rétabli", down: "Réseau\u00a0: coupé" },
    gateway: { up: "Passerelle\u00a0: en marche", down: "Passerelle\u00a0: arrêtée" },
    failed: "La commande n’a pas abouti.",
  },
};

/** The texts of a language. */
export type Texts = typeof fr;
