"""The demo's conversations in Spanish."""

from __future__ import annotations

from typing import Final

from apps.dashboards.demo.voices import Voice

QUESTIONS: Final = {
    "order_status": (
        "¿Dónde está mi pedido?",
        "¿Cuándo llega el pedido {n}?",
        "¿Puedo cambiar la dirección del pedido {n}?",
        "¿Con qué empresa viene el paquete?",
    ),
    "refund": (
        "Quiero devolver el pedido {n}.",
        "¿Tengo que pagar por la devolución?",
        "¿Dónde encuentro la etiqueta de la devolución?",
    ),
    "billing": (
        "Necesito una factura de {n}.",
        "¿Qué es este cargo en mi cuenta?",
        "¿Cuándo es el próximo pago?",
    ),
    "technical_issue": (
        "¿Cómo cambio mi contraseña?",
        "¿Qué significa el código {n}?",
        "La página está en blanco después de la actualización.",
    ),
    "product_question": (
        "¿Lo tienen también en azul?",
        "¿La batería está incluida?",
        "¿Qué talla me recomienda para 1,80 m?",
    ),
    "cancel_account": (
        "¿Cómo puedo cerrar mi cuenta?",
        "Por favor, borren mis datos al final del mes.",
        "¿Puedo hacer una pausa en el plan?",
    ),
}
ANSWERS: Final = {
    "order_status": (
        "El pedido {n} está en camino y llega mañana.",
        "El enlace de su confirmación muestra dónde está el paquete.",
    ),
    "refund": (
        "La devolución es gratis y la etiqueta está en su cuenta.",
        "El dinero de {n} llega en tres a cinco días.",
    ),
    "billing": (
        "La factura {n} está en su correo.",
        "El cargo es por el envío rápido.",
    ),
    "technical_issue": (
        "Descargue la nueva versión y reinicie el teléfono.",
        "El código {n} significa que debe entrar de nuevo en su cuenta.",
    ),
    "product_question": (
        "Sí, en azul y en gris.",
        "La batería está incluida y el cable también.",
    ),
    "cancel_account": (
        "Es posible al final del mes.",
        "Es posible una pausa de tres meses.",
    ),
}
FOLLOW_UPS: Final = (
    "¿Y cuándo es eso?",
    "¿Me lo puede enviar por correo?",
    "¿Dónde lo encuentro exactamente?",
    "¿Vale también para mi otra cuenta?",
    "¿Qué tengo que hacer?",
    "¿Lo puedo hacer en el móvil?",
)
THANKS: Final = ("Gracias, me sirve.", "¡Perfecto, muchas gracias!", "De acuerdo, gracias.")
REPLIES: Final = (
    "Sí, y no cuesta nada.",
    "Tarda dos días por lo general.",
    "Está en su cuenta, en los ajustes.",
    "Se lo acabo de enviar.",
    "Vale para todas sus cuentas.",
    "Es lo mismo en el móvil y en el navegador.",
)
MISSES: Final = (
    "Todo sobre este tema está en nuestras páginas de ayuda.",
    "Nuestro horario es de lunes a viernes, de 9 a 17.",
    "No lo he entendido. ¿Puede decirlo con otras palabras?",
)
AMENDS: Final = (
    "¿Cuál de los dos es, el pedido o la cuenta?",
    "Lo he mirado otra vez y ya está arreglado.",
    "¿Qué número tiene su confirmación?",
)
TRANSFERS: Final = ("Le paso con una compañera.", "Un compañero sigue con usted ahora.")
OPENINGS: Final = (
    "Llevo dos semanas esperando y nadie responde.",
    "La aplicación falla todo el tiempo, estoy muy molesta.",
    "Es la tercera vez que escribo y no pasa nada.",
)
COMPLAINTS: Final = (
    "No, eso no es lo que pregunté.",
    "Eso está mal.",
    "Todavía no funciona.",
    "Eso no me ayuda.",
    "No me entiende.",
    "Ya lo intenté y sale el mismo error.",
    "¿Cuánto más tengo que esperar? Nadie responde.",
    "Esto es muy frustrante.",
    "Es una pérdida de tiempo.",
)
REPEATS: Final = (
    "Ya se lo dije.",
    "Como ya le dije: {said}",
    "Siempre lo mismo, otra vez la misma respuesta.",
    "No me entiende. Mi pregunta es: {said}",
)
DEMANDS: Final = (
    "Quiero hablar con una persona.",
    "Páseme con un agente, por favor.",
    "Necesito hablar con una persona real.",
)
SPANISH: Final = Voice(
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
