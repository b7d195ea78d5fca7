"""The demo's conversations in German."""

from __future__ import annotations

from typing import Final

from apps.dashboards.demo.voices import Voice

QUESTIONS: Final = {
    "order_status": (
        "Wo ist meine Bestellung?",
        "Wurde die Bestellung {n} schon verschickt?",
        "Kann ich die Adresse der Bestellung {n} ändern?",
        "Mit wem kommt mein Paket?",
    ),
    "refund": (
        "Ich möchte die Bestellung {n} zurückgeben.",
        "Muss ich für die Rücksendung etwas bezahlen?",
        "Wo finde ich das Etikett für die Rücksendung?",
    ),
    "billing": (
        "Ich brauche eine Rechnung für {n}.",
        "Was ist das für eine Gebühr auf meiner Rechnung?",
        "Wann wird das nächste Mal abgebucht?",
    ),
    "technical_issue": (
        "Wie setze ich mein Passwort zurück?",
        "Was bedeutet die Meldung {n}?",
        "Die Seite ist nach dem Update weiß.",
    ),
    "product_question": (
        "Gibt es das auch in Blau?",
        "Ist der Akku dabei?",
        "Welche Größe soll ich bei 1,80 m nehmen?",
    ),
    "cancel_account": (
        "Wie kann ich meinen Vertrag beenden?",
        "Bitte löschen Sie mein Konto.",
        "Kann ich eine Pause machen?",
    ),
}
ANSWERS: Final = {
    "order_status": (
        "Die Bestellung {n} ist unterwegs und kommt morgen an.",
        "Der Link in Ihrer Bestätigung zeigt, wo das Paket ist.",
    ),
    "refund": (
        "Die Rücksendung ist kostenlos, das Etikett finden Sie in Ihrem Konto.",
        "Das Geld für {n} ist in drei bis fünf Tagen bei Ihnen.",
    ),
    "billing": (
        "Die Rechnung {n} ist in Ihrem Postfach.",
        "Die Gebühr ist für die schnelle Lieferung.",
    ),
    "technical_issue": (
        "Bitte laden Sie die neue Version und starten Sie das Gerät neu.",
        "Die Meldung {n} heißt, dass Sie sich neu anmelden müssen.",
    ),
    "product_question": (
        "Ja, in Blau und in Grau.",
        "Der Akku ist dabei, das Kabel auch.",
    ),
    "cancel_account": (
        "Das ist zum Ende des Monats möglich.",
        "Eine Pause von drei Monaten ist möglich.",
    ),
}
FOLLOW_UPS: Final = (
    "Und wann ist das?",
    "Können Sie mir das schicken?",
    "Wo genau finde ich das?",
    "Gilt das auch für mein zweites Konto?",
    "Was muss ich dafür machen?",
    "Kann ich das auch am Handy machen?",
)
THANKS: Final = ("Danke, das hilft mir.", "Vielen Dank, das ist super!", "Alles klar, danke.")
REPLIES: Final = (
    "Ja, und es kostet nichts.",
    "Das dauert in der Regel zwei Tage.",
    "Sie finden es in Ihrem Konto unter Einstellungen.",
    "Ich habe es Ihnen gerade geschickt.",
    "Das gilt für alle Ihre Konten.",
    "Sonst ist nichts zu tun.",
)
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
    answers=ANSWERS,
    follow_ups=FOLLOW_UPS,
    thanks=THANKS,
    replies=REPLIES,
    misses=MISSES,
    amends=AMENDS,
    transfers=TRANSFERS,
    openings=OPENINGS,
    complaints=COMPLAINTS,
    repeats=REPEATS,
    demands=DEMANDS,
)
