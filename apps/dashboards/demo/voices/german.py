"""The demo's conversations in German."""

from __future__ import annotations

from typing import Final

from apps.dashboards.demo.voices import Voice

QUESTIONS: Final = {
    "order_status": {
        "Wo ist meine Bestellung?": "Sie ist unterwegs und kommt morgen an.",
        "Wurde die Bestellung {n} schon verschickt?": "Ja, die Bestellung {n} ist seit gestern unterwegs.",
        "Kann ich die Adresse der Bestellung {n} ändern?": "Ja, ich habe sie für Sie geändert.",
        "Mit wem kommt mein Paket?": "Mit der Post, der Link ist in Ihrer Bestätigung.",
    },
    "refund": {
        "Ich möchte die Bestellung {n} zurückgeben.": "Das ist 30 Tage lang möglich und kostet nichts.",
        "Muss ich für die Rücksendung etwas bezahlen?": "Nein, die Rücksendung ist kostenlos.",
        "Wo finde ich das Etikett für die Rücksendung?": "Das Etikett ist in Ihrem Konto.",
    },
    "billing": {
        "Ich brauche eine Rechnung für {n}.": "Die Rechnung {n} ist in Ihrem Postfach.",
        "Was ist das für eine Gebühr auf meiner Rechnung?": "Sie ist für die schnelle Lieferung.",
        "Wann wird das nächste Mal abgebucht?": "Das ist am ersten des nächsten Monats.",
    },
    "technical_issue": {
        "Wie setze ich mein Passwort zurück?": "Mit dem Link unter der Anmeldung.",
        "Was bedeutet die Meldung {n}?": "Die Meldung {n} heißt, dass Sie sich neu anmelden müssen.",
        "Die Seite ist nach dem Update weiß.": "Bitte leeren Sie einmal den Cache und laden Sie die Seite neu.",
    },
    "product_question": {
        "Gibt es das auch in Blau?": "Ja, in Blau und in Grau.",
        "Ist der Akku dabei?": "Ja, der Akku und das Kabel sind dabei.",
        "Welche Größe soll ich bei 1,80 m nehmen?": "Die meisten nehmen da die Größe L.",
    },
    "cancel_account": {
        "Wie kann ich meinen Vertrag beenden?": "Das ist zum Ende des Monats möglich.",
        "Bitte löschen Sie mein Konto.": "Das ist als Ticket {n} notiert.",
        "Kann ich eine Pause machen?": "Ja, eine Pause von drei Monaten ist möglich.",
    },
}
FOLLOW_UPS: Final = {
    "Und wann ist das?": "Das ist am Donnerstag.",
    "Können Sie mir das schicken?": "Ich habe es Ihnen gerade geschickt.",
    "Wo genau finde ich das?": "Sie finden es in Ihrem Konto unter Einstellungen.",
    "Gilt das auch für mein zweites Konto?": "Ja, das gilt für alle Ihre Konten.",
    "Was muss ich dafür machen?": "Sonst ist nichts zu tun.",
    "Kann ich das auch am Handy machen?": "Ja, am Handy und im Browser.",
}
THANKS: Final = {
    "Danke, das hilft mir.": "Gern geschehen.",
    "Vielen Dank, das ist super!": "Das freut mich.",
    "Alles klar, danke.": "Gern geschehen.",
}
MISSES: Final = (
    "Alles dazu finden Sie auf unseren Hilfeseiten.",
    "Wir sind Montag bis Freitag von 9 bis 17 Uhr für Sie da.",
    "Das habe ich nicht verstanden. Können Sie es anders sagen?",
)
AMENDS: Final = (
    "Welche der beiden meinen Sie, die Bestellung oder das Konto?",
    "Ich habe noch einmal nachgesehen: es ist jetzt erledigt.",
    "Welche Nummer steht auf Ihrer Bestätigung?",
)
TRANSFERS: Final = ("Ich gebe Sie an eine Kollegin weiter.", "Ein Kollege übernimmt jetzt für Sie.")
OPENINGS: Final = (
    "Ich warte seit zwei Wochen und niemand antwortet.",
    "Die App stürzt ständig ab, das nervt.",
    "Ich schreibe jetzt zum dritten Mal und es passiert nichts.",
)
COMPLAINTS: Final = (
    "Nein, das habe ich nicht gefragt.",
    "Das ist falsch.",
    "Das funktioniert immer noch nicht!",
    "Das hilft mir nicht.",
    "Sie verstehen mich nicht, das ist falsch.",
    "Das habe ich schon versucht, gleicher Fehler.",
    "Wie lange soll ich noch warten?",
    "Das ist wirklich ärgerlich.",
    "Das ist doch Zeitverschwendung, das nervt.",
)
REPEATS: Final = (
    "Das habe ich schon gesagt.",
    "Das ist keine Antwort. Wie gesagt: {said}",
    "Sie schicken mir immer wieder das gleiche.",
    "Das habe ich nicht gefragt. Meine Frage war: {said}",
)
DEMANDS: Final = (
    "Ich möchte mit einem Menschen sprechen.",
    "Verbinden Sie mich bitte mit einem Mitarbeiter.",
    "Das reicht mir jetzt, ich will einen echten Menschen sprechen.",
)
GERMAN: Final = Voice(
    questions=QUESTIONS,
    follow_ups=FOLLOW_UPS,
    thanks=THANKS,
    misses=MISSES,
    amends=AMENDS,
    transfers=TRANSFERS,
    openings=OPENINGS,
    complaints=COMPLAINTS,
    repeats=REPEATS,
    demands=DEMANDS,
)
