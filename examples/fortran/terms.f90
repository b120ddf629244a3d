! A model of terms on the program's own arrays: counts of a Poisson distribution, log mean = log exposure + x . beta.
program terms
  use jensen
  implicit none
  integer(c_size_t), parameter :: rows = 1000, columns = 2
  real(c_float), target :: x(columns, rows), counts(rows), log_exposure(rows)
  real(c_double), parameter :: truth(columns) = [0.5d0, -0.7d0]
  type(c_ptr) :: model, execution, trainer, fit
  type(jensen_summary) :: found(columns)
  integer(c_size_t) :: beta, term, count
  integer :: i

  do i = 1, int(rows)
    x(:, i) = [1.0, sin(0.37*i)]
    log_exposure(i) = log(1.0 + mod(i, 3))
    counts(i) = floor(exp(log_exposure(i) + real(dot_product(truth, x(:, i)))) + 0.5 + 0.5*sin(12.9898*i))
  end do

  call check(jensen_model_create(model))
  call check(jensen_model_block(model, jensen_c("beta"), columns, jensen_real, jensen_c("normal(0, 2.5)"), beta))
  call check(jensen_model_term(model, jensen_c("poisson"), jensen_c("log"), rows, c_loc(counts), c_null_ptr, &
                               c_null_ptr, 1, term))
  call check(jensen_model_dense(model, term, 0_c_size_t, beta, c_loc(x), 0))  ! x is read where it lies
  call check(jensen_model_offset(model, term, 0_c_size_t, c_loc(log_exposure)))

  call check(jensen_execution_create(execution))
  call check(jensen_execution_set_device(execution, 0))  ! the first GPU, if there is one
  call check(jensen_trainer_create_model(model, c_null_ptr, execution, trainer))
  call jensen_execution_free(execution)
  call check(jensen_trainer_run(trainer, c_null_funptr, c_null_ptr, fit))

  count = columns
  call check(jensen_fit_summary(fit, found, count))
  do i = 1, int(count)
    print '(a8, 3(a, f8.4))', jensen_parameter_name(fit, i), "  mean", found(i)%mean, "  sd", found(i)%sd, "  truth", truth(i)
  end do
  print '(4a)', "on ", jensen_device(trainer), ": ", jensen_verdict_message(fit)
  call check(jensen_fit_note_count(fit, count))
  do i = 1, int(count)
    print '(2a)', "note: ", jensen_note(fit, i)
  end do

  call jensen_fit_free(fit)
  call jensen_trainer_free(trainer)
  call jensen_model_free(model)
  if (any(abs(found%mean - truth) > 0.1d0)) error stop "not the truth"

contains

  subroutine check(status)
    integer(c_int), intent(in) :: status
    if (status == jensen_ok) return
    print '(a)', jensen_message()
    error stop 1
  end subroutine

end program
