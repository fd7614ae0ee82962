using System.Collections;
using System.Collections.Immutable;

namespace CwaySample;

/// <summary>The rows of one kind, in the order in which they were made.</summary>
/// <remarks>Requests read while one of them changes it; changes themselves come one at a time.</remarks>
public sealed class Table<T>(Func<T, Guid> id) : IReadOnlyCollection<T>
    where T : class
{
    private ImmutableArray<T> _rows = [];
    private ImmutableDictionary<Guid, T> _byId = ImmutableDictionary<Guid, T>.Empty;

    public int Count => _rows.Length;

    public T? Find(Guid key) => _byId.GetValueOrDefault(key);

    public T Get(Guid key) =>
        Find(key) ?? throw new Refusal($"{typeof(T).Name.Replace("Stored", "", StringComparison.Ordinal)} not found");

    public void Add(T row) => AddRange([row]);

    public void AddRange(IReadOnlyCollection<T> rows)
    {
        if (rows.FirstOrDefault(row => _byId.ContainsKey(id(row))) is { } row)
        {
            throw new Refusal($"The id {id(row)} is taken");
        }

        _byId = _byId.AddRange(rows.Select(row => KeyValuePair.Create(id(row), row)));
        _rows = _rows.AddRange(rows);
    }

    public void Remove(IReadOnlyCollection<T> rows)
    {
        _rows = _rows.RemoveRange(rows);
        _byId = _byId.RemoveRange(rows.Select(id));
    }

    public IEnumerator<T> GetEnumerator() => ((IEnumerable<T>)_rows).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
