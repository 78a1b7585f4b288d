namespace FastXen.Smp;

/// <summary>Who runs first: a smaller value before a greater one. Within a class turns are taken, in the real-time class by deadline.</summary>
public enum SchedulingClass
{
    /// <summary>Has a reservation (<see cref="RealTimeParameters"/>) and has not used it up in this period.</summary>
    RealTime,
    /// <summary>Woke with credits left.</summary>
    Boost,
    /// <summary>Has credits left.</summary>
    Under,
    /// <summary>Has used more than its share.</summary>
    Over,
}
