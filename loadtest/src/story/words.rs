//! Names, towns, works and phrases of the story.

/// Family names of owners, technicians and customers.
#[rustfmt::skip]
pub(super) const FAMILIES: &[&str] = &[
    "Lefèvre", "Moreau", "Garnier", "Rousseau", "Benali", "Fontaine", "Chevalier", "Girard", "Mercier", "Dupuis",
    "Lambert", "Bonnet", "Perrin", "Da Silva", "Morel", "Gauthier", "Masson", "Nguyen", "Renaud", "Barbier", "Arnaud",
    "Marchand", "Picard", "Roussel", "Leclerc", "Colin", "Vidal", "Caron", "Aubert", "Le Goff", "Brunet", "Hamon",
    "Schmitt", "Diallo", "Poirier", "Carpentier", "Meunier", "Haddad", "Boucher", "Ferrand",
];

/// First names of the staff.
#[rustfmt::skip]
pub(super) const FIRST_NAMES: &[&str] = &[
    "Karim", "Julien", "Sophie", "Thomas", "Camille", "Mehdi", "Nathalie", "Lucas", "Élodie", "Antoine", "Fatou",
    "Nicolas", "Claire", "Yann", "Inès", "Paulo", "Céline", "Hugo", "Aïcha", "Mathieu",
];

/// Where companies work: the town and two places around it.
pub(super) const TOWNS: &[[&str; 3]] = &[
    ["Nantes", "Rezé", "Saint-Herblain"],
    ["Lyon", "Villeurbanne", "Bron"],
    ["Rennes", "Cesson-Sévigné", "Bruz"],
    ["Toulouse", "Blagnac", "Colomiers"],
    ["Bordeaux", "Mérignac", "Pessac"],
    ["Lille", "Roubaix", "Marcq-en-Barœul"],
    ["Grenoble", "Échirolles", "Meylan"],
    ["Dijon", "Talant", "Chenôve"],
    ["Angers", "Avrillé", "Trélazé"],
    ["Tours", "Joué-lès-Tours", "Saint-Avertin"],
];

/// Streets, without the house number.
#[rustfmt::skip]
pub(super) const STREETS: &[&str] = &[
    "rue des Lilas", "rue Victor Hugo", "avenue Jean Jaurès", "rue de la Gare", "impasse des Tilleuls",
    "boulevard Pasteur", "rue du Moulin", "place de l'Église", "rue Jules Ferry", "allée des Cerisiers",
    "chemin du Vieux Puits", "rue Gambetta", "quai de la Loire", "rue des Écoles", "rue Saint-Michel",
];

/// One kind of work: what it is called, its price with VAT in whole euros, the minutes it takes.
pub(super) struct Work {
    pub(super) title: &'static str,
    pub(super) euros: (u32, u32),
    pub(super) minutes: (u32, u32),
}

const fn work(title: &'static str, euros: (u32, u32), minutes: (u32, u32)) -> Work {
    Work { title, euros, minutes }
}

/// What plumbers quote.
pub(super) const PLUMBING: &[Work] = &[
    work("Remplacement chauffe-eau 200 L", (1_150, 1_900), (120, 200)),
    work("Rénovation salle de bains", (3_800, 9_600), (150, 240)),
    work("Installation douche à l'italienne", (2_900, 5_400), (150, 230)),
    work("Pose d'un adoucisseur d'eau", (980, 1_850), (90, 150)),
    work("Remplacement chaudière gaz à condensation", (3_900, 6_200), (160, 240)),
    work("Remplacement robinetterie cuisine", (180, 420), (40, 80)),
    work("Création d'une arrivée d'eau", (320, 760), (70, 120)),
    work("Pompe à chaleur air-eau", (9_800, 14_900), (180, 260)),
    work("WC suspendu, fourniture et pose", (690, 1_280), (90, 150)),
];

/// What calls plumbers out without a quote.
pub(super) const PLUMBING_URGENT: &[Work] = &[
    work("Recherche de fuite", (140, 290), (50, 110)),
    work("Débouchage canalisation", (120, 260), (35, 75)),
    work("Fuite sous évier", (95, 180), (30, 60)),
    work("Chaudière en panne", (130, 340), (45, 100)),
];

/// What electricians quote.
pub(super) const ELECTRICITY: &[Work] = &[
    work("Mise aux normes du tableau électrique", (1_200, 2_600), (140, 220)),
    work("Borne de recharge 7,4 kW", (1_290, 1_990), (110, 170)),
    work("Rénovation électrique d'un T3", (4_200, 8_900), (170, 260)),
    work("Installation VMC double flux", (2_400, 4_600), (140, 220)),
    work("Pose de volets roulants motorisés", (980, 3_200), (90, 180)),
    work("Éclairage LED d'un local", (640, 2_100), (80, 160)),
    work("Ajout de prises et d'un point lumineux", (240, 620), (60, 110)),
    work("Interphone vidéo", (390, 890), (60, 110)),
    work("Panneaux photovoltaïques 3 kWc", (6_900, 9_800), (200, 280)),
];

/// What calls electricians out without a quote.
pub(super) const ELECTRICITY_URGENT: &[Work] = &[
    work("Panne de courant partielle", (110, 260), (40, 90)),
    work("Disjoncteur qui saute", (95, 210), (30, 70)),
    work("Remplacement d'un différentiel", (150, 280), (40, 80)),
    work("Chauffe-eau qui ne chauffe plus", (120, 290), (45, 90)),
];

/// Why quotes are refused.
pub(super) const REASONS: &[&str] = &[
    "Trop cher",
    "Un concurrent est moins cher",
    "Délai trop long",
    "Projet reporté à l'année prochaine",
    "Le propriétaire a refusé les travaux",
    "Nous avons trouvé une autre solution",
    "Aides de l'État refusées",
];

/// First words of a customer, before a quote.
pub(super) const REQUESTS: &[&str] = &[
    "Bonjour, pouvez-vous passer pour un devis cette semaine ?",
    "Bonjour, on m'a donné votre numéro, quels sont vos délais ?",
    "Bonjour, je vous envoie les photos comme convenu.",
    "Serait-il possible d'avoir le devis avant midi ? Merci.",
];

/// What a customer says when something is broken.
pub(super) const ALARMS: &[&str] = &[
    "C'est urgent, pouvez-vous venir ce matin ?",
    "Bonjour, ça vient de lâcher, quelqu'un est disponible ?",
    "Au secours ! Vous pouvez passer aujourd'hui ?",
];

/// Between signature and job.
pub(super) const APPOINTMENTS: &[&str] = &[
    "Bonjour, vous arrivez à quelle heure ?",
    "Le code de l'immeuble est le 42A7, deuxième étage.",
    "Je serai sur place, garez-vous dans la cour.",
    "La gardienne vous ouvrira, merci.",
];

/// After the job.
pub(super) const THANKS: &[&str] = &[
    "Merci beaucoup, travail impeccable !",
    "Tout fonctionne, merci pour votre rapidité.",
    "Pouvez-vous m'envoyer la facture par e-mail ?",
    "Merci, je vous recommanderai à mes voisins.",
];
