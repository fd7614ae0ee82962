using System.Buffers.Binary;
using System.Text;

namespace MinimalMcp.Tests.Telemetry;

/// <summary>
/// The fields of one protobuf message, by number (https://protobuf.dev/programming-guides/encoding). Throws when it is
/// not one.
/// </summary>
internal sealed class ProtobufFields
{
    private readonly Dictionary<int, List<object>> _fields = [];

    public ProtobufFields(ReadOnlyMemory<byte> message)
    {
        var at = 0;
        while (at < message.Length)
        {
            var tag = Varint();
            object value = (tag & 7) switch
            {
                0 => Varint(),
                1 => BinaryPrimitives.ReadUInt64LittleEndian(Take(8).Span),
                2 => Take((int)Varint()),
                5 => (ulong)BinaryPrimitives.ReadUInt32LittleEndian(Take(4).Span),
                var type => throw new InvalidDataException($"Wire type {type} does not exist any more."),
            };
            if (!_fields.TryGetValue((int)(tag >> 3), out var values))
            {
                _fields[(int)(tag >> 3)] = values = [];
            }

            values.Add(value);
        }

        ulong Varint()
        {
            ulong number = 0;
            for (var shift = 0; shift < 64; shift += 7)
            {
                var part = Take(1).Span[0];
                number |= (ulong)(part & 0x7f) << shift;
                if (part < 0x80)
                {
                    return number;
                }
            }

            throw new InvalidDataException("A number of more than 64 bits.");
        }

        ReadOnlyMemory<byte> Take(int length)
        {
            if (length < 0 || at + length > message.Length)
            {
                throw new InvalidDataException("The message ends within a field.");
            }

            at += length;
            return message.Slice(at - length, length);
        }
    }

    public IEnumerable<ProtobufFields> Messages(int field) => Bytes(field).Select(bytes => new ProtobufFields(bytes));

    public ProtobufFields? Message(int field) => Messages(field).SingleOrDefault();

    public string Text(int field) =>
        Bytes(field).Select(bytes => Encoding.UTF8.GetString(bytes.Span)).SingleOrDefault() ?? "";

    /// <summary>As hexadecimal text.</summary>
    public string Id(int field) =>
        Bytes(field).Select(bytes => Convert.ToHexStringLower(bytes.Span)).SingleOrDefault() ?? "";

    public ulong Number(int field) => _fields.TryGetValue(field, out var values) ? (ulong)values.Single() : 0;

    public bool Has(int field) => _fields.ContainsKey(field);

    private IEnumerable<ReadOnlyMemory<byte>> Bytes(int field) =>
        _fields.TryGetValue(field, out var values) ? values.Cast<ReadOnlyMemory<byte>>() : [];
}
