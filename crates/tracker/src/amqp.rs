//! Labels of AMQP 0-9-1: the method of a frame ("AMQP 0-9-1 specification", section 4.2, and its
//! XML for the numbers; `basic.nack` and `confirm` are RabbitMQ's extensions).

const METHOD: u8 = 1;
const HEADER: u8 = 2;
const BODY: u8 = 3;
const HEARTBEAT: u8 = 8;
/// Type, channel and size come before the payload.
const PAYLOAD: usize = 7;

/// A class of methods, by its number.
type Class = (u16, &'static str, &'static [(u16, &'static str)]);

const CLASSES: [Class; 7] = [
    (
        10,
        "connection",
        &[
            (10, "start"),
            (11, "start-ok"),
            (20, "secure"),
            (21, "secure-ok"),
            (30, "tune"),
            (31, "tune-ok"),
            (40, "open"),
            (41, "open-ok"),
            (50, "close"),
            (51, "close-ok"),
            (60, "blocked"),
            (61, "unblocked"),
            (70, "update-secret"),
            (71, "update-secret-ok"),
        ],
    ),
    (
        20,
        "channel",
        &[
            (10, "open"),
            (11, "open-ok"),
            (20, "flow"),
            (21, "flow-ok"),
            (40, "close"),
            (41, "close-ok"),
        ],
    ),
    (
        40,
        "exchange",
        &[
            (10, "declare"),
            (11, "declare-ok"),
            (20, "delete"),
            (21, "delete-ok"),
            (30, "bind"),
            (31, "bind-ok"),
            (40, "unbind"),
            (51, "unbind-ok"),
        ],
    ),
    (
        50,
        "queue",
        &[
            (10, "declare"),
            (11, "declare-ok"),
            (20, "bind"),
            (21, "bind-ok"),
            (30, "purge"),
            (31, "purge-ok"),
            (40, "delete"),
            (41, "delete-ok"),
            (50, "unbind"),
            (51, "unbind-ok"),
        ],
    ),
    (
        60,
        "basic",
        &[
            (10, "qos"),
            (11, "qos-ok"),
            (20, "consume"),
            (21, "consume-ok"),
            (30, "cancel"),
            (31, "cancel-ok"),
            (40, "publish"),
            (50, "return"),
            (60, "deliver"),
            (70, "get"),
            (71, "get-ok"),
            (72, "get-empty"),
            (80, "ack"),
            (90, "reject"),
            (100, "recover-async"),
            (110, "recover"),
            (111, "recover-ok"),
            (120, "nack"),
        ],
    ),
    (85, "confirm", &[(10, "select"), (11, "select-ok")]),
    (
        90,
        "tx",
        &[
            (10, "select"),
            (11, "select-ok"),
            (20, "commit"),
            (21, "commit-ok"),
            (30, "rollback"),
            (31, "rollback-ok"),
        ],
    ),
];

/// What the first frame is.
pub(crate) fn label(bytes: &[u8]) -> Option<String> {
    if bytes.starts_with(b"AMQP") {
        return Some("protocol header".into());
    }
    let payload = bytes.get(PAYLOAD..)?;
    let number = |at: usize| Some(u16::from_be_bytes(payload.get(at..at + 2)?.try_into().ok()?));
    match bytes[0] {
        METHOD => {
            let (class, method) = (number(0)?, number(2)?);
            let (_, name, methods) = CLASSES.iter().find(|(own, ..)| *own == class)?;
            let (_, method) = methods.iter().find(|(own, _)| *own == method)?;
            Some(format!("{name}.{method}"))
        }
        HEADER => Some("content header".into()),
        BODY => Some("content body".into()),
        HEARTBEAT => Some("heartbeat".into()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_have_the_names_of_the_specification() {
        let of = |bytes: &[u8]| label(bytes).unwrap_or("none".into());
        let method = |class, method| of(&[1, 0, 1, 0, 0, 0, 4, 0, class, 0, method, 0xce]);
        assert_eq!(method(60, 40), "basic.publish");
        assert_eq!(method(60, 80), "basic.ack");
        assert_eq!(method(85, 11), "confirm.select-ok");
        assert_eq!(method(10, 10), "connection.start");
        assert_eq!(method(40, 51), "exchange.unbind-ok");
        assert_eq!(method(61, 40), "none");
        assert_eq!(method(60, 41), "none");
        assert_eq!(of(b"AMQP\0\0\x09\x01"), "protocol header");
        assert_eq!(of(&[8, 0, 0, 0, 0, 0, 0, 0xce]), "heartbeat");
        assert_eq!(of(&[3, 0, 1, 0, 0, 0, 1, b'x', 0xce]), "content body");
        assert_eq!(of(&[1, 0, 1, 0, 0, 0, 4, 0, 60, 0]), "none");
        assert_eq!(of(b"\x01\0"), "none");
        assert_eq!(of(b""), "none");
    }
}
