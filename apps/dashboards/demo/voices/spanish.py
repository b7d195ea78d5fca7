"""The demo's conversations in Spanish."""

from __future__ import annotations

from typing import Final

from apps.dashboards.demo.voices import Voice

QUESTIONS: Final = {
    "order_status": {
        "¿Dónde está mi pedido?": "Está en camino y llega mañana.",
        "¿Cuándo llega el pedido {n}?": "El pedido {n} llega mañana por la mañana.",
        "¿Puedo cambiar la dirección del pedido {n}?": "Sí, ya la he cambiado.",
        "¿Con qué empresa viene el paquete?": "Con Correos; el enlace está en su confirmación.",
    },
    "refund": {
        "Quiero devolver el pedido {n}.": "Puede devolverlo gratis durante 30 días.",
        "¿Tengo que pagar por la devolución?": "No, la devolución es gratis.",
        "¿Dónde encuentro la etiqueta de la devolución?": "La etiqueta está en su cuenta.",
    },
    "billing": {
        "Necesito una factura de {n}.": "La factura {n} está en su correo.",
        "¿Qué es este cargo en mi cuenta?": "El cargo es por el envío rápido.",
        "¿Cuándo es el próximo pago?": "El primero del mes que viene.",
    },
    "technical_issue": {
        "¿Cómo cambio mi contraseña?": "Con el enlace que está debajo de la entrada.",
        "¿Qué significa el código {n}?": "El código {n} significa que debe entrar de nuevo en su cuenta.",
        "La página está en blanco después de la actualización.": "Vacíe la memoria del navegador una vez.",
    },
    "product_question": {
        "¿Lo tienen también en azul?": "Sí, en azul y en gris.",
        "¿La batería está incluida?": "Sí, la batería y el cable.",
        "¿Qué talla me recomienda para 1,80 m?": "Con esa altura la mayoría toma la L.",
    },
    "cancel_account": {
        "¿Cómo puedo cerrar mi cuenta?": "Es posible al final del mes.",
        "Por favor, borren mis datos al final del mes.": "Está anotado con el número {n}.",
        "¿Puedo hacer una pausa en el plan?": "Sí, es posible una pausa de tres meses.",
    },
}
FOLLOW_UPS: Final = {
    "¿Y cuándo es eso?": "Es el jueves.",
    "¿Me lo puede enviar por correo?": "Se lo acabo de enviar.",
    "¿Dónde lo encuentro exactamente?": "Está en su cuenta, en los ajustes.",
    "¿Vale también para mi otra cuenta?": "Sí, vale para todas sus cuentas.",
    "¿Qué tengo que hacer?": "No tiene que hacer nada más.",
    "¿Lo puedo hacer en el móvil?": "Sí, en el móvil y en el navegador.",
}
THANKS: Final = {
    "Gracias, me sirve.": "Me alegro de que le sirva.",
    "¡Perfecto, muchas gracias!": "Me alegro.",
    "De acuerdo, gracias.": "Me alegro de que le sirva.",
}
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
